import { z } from 'zod';
import { episodeSchema } from './episode.ts';
import { gradeSchema } from './verdict.ts';

export const rewardNames = ['lensmith', 'accuracy'] as const;
export type RewardName = (typeof rewardNames)[number];

/** Body of `POST /v1/score`: groups of episodes; the episodes of a group share one task. */
export const scoreRequestSchema = z.strictObject({
  reward: z.enum(rewardNames),
  groups: z.array(z.array(episodeSchema).min(1)).min(1),
});
export type ScoreRequest = z.infer<typeof scoreRequestSchema>;

/** One episode's score. `reward` is the sum of `terms`; `turnRewards` has one entry a turn. */
export const episodeScoreSchema = z.strictObject({
  grade: gradeSchema,
  terms: z.record(z.string(), z.number()),
  reward: z.number(),
  turnRewards: z.array(z.number()),
  /** True where an outage hit the episode: leave it out of the gradient, do not read its reward as 0. */
  masked: z.boolean(),
});
export type EpisodeScore = z.infer<typeof episodeScoreSchema>;

/** Answer of `POST /v1/score`, in the shape of the request. */
export const scoreResponseSchema = z.strictObject({ groups: z.array(z.array(episodeScoreSchema)) });
export type ScoreResponse = z.infer<typeof scoreResponseSchema>;
