import { z } from 'zod';
import { episodeSchema } from './episode.ts';
import { episodeScoreSchema } from './score.ts';

/** A line of `stages/rl/rollouts/step-<step>.jsonl.gz`: an episode that RL rolled out, as it was scored. */
export const rolloutLineSchema = z.strictObject({
  /** Optimiser step that learned from it, from 1. */
  step: z.int().positive(),
  /** Number of its group in the step, from 0. */
  group: z.int().nonnegative(),
  reward: z.string(),
  episode: episodeSchema,
  score: episodeScoreSchema,
});
export type RolloutLine = z.infer<typeof rolloutLineSchema>;
