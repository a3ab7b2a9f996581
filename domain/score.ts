import { z } from 'zod';
import { episodeSchema } from './episode.ts';
import { imageLocationsSchema } from './image-location.ts';
import { gradeSchema } from './verdict.ts';

export const rewardNames = [
  'lensmith',
  'accuracy',
  'codedance-paper',
  'codedance-released',
  'codevision-paper',
  'codevision-released',
] as const;
export type RewardName = (typeof rewardNames)[number];

/** An image of the episodes by its SHA-256: bytes in base64, or a path that the server's host can read. */
export const scoredImageSchema = z.union([
  z.strictObject({ digest: z.string(), data: z.base64() }),
  z.strictObject({ digest: z.string(), path: z.string() }),
]);
export type ScoredImage = z.infer<typeof scoredImageSchema>;

/** Episodes of one task, as GRPO compares them. */
export const episodeGroupSchema = z
  .array(episodeSchema)
  .min(1)
  .superRefine((group, context) => {
    const first = group[0]?.task;
    const stranger = group.findIndex(
      ({ task }) => task.sampleId !== first?.sampleId || task.question !== first?.question,
    );
    if (stranger > 0)
      context.addIssue({
        code: 'custom',
        path: [stranger, 'task', 'sampleId'],
        message: `expected all episodes of a group to share the task ${first?.sampleId}, got ${group[stranger]?.task.sampleId}`,
      });
  });

/** Body of `POST /v1/score`: groups of episodes; the episodes of a group share one task. */
export const scoreRequestSchema = z.strictObject({
  /** The same id again has the same response; with another body it is refused. Without one nothing is remembered. */
  id: z
    .string()
    .regex(/^[A-Za-z0-9_.:/-]{1,200}$/)
    .optional(),
  reward: z.enum(rewardNames),
  /** Run whose judge decides what the rules cannot; without one such an episode is masked. */
  run: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,62}$/)
    .optional(),
  groups: z.array(episodeGroupSchema).min(1),
  /** Pixels for the rewards that credit effects; of the tasks without `needs` none are wanted. */
  images: z.array(scoredImageSchema).default([]),
});
export type ScoreRequest = z.infer<typeof scoreRequestSchema>;

/** One episode's score. `reward` is the sum of `terms`; `turnRewards` has one entry a turn. */
export const episodeScoreSchema = z.strictObject({
  grade: gradeSchema,
  terms: z.record(z.string(), z.number()),
  reward: z.number(),
  /** Beside `reward`, not part of it: what is added to the advantage of a turn's tokens. */
  turnRewards: z.array(z.number()),
  /** True where an outage hit the episode: leave it out of the gradient, do not read its reward as 0. */
  masked: z.boolean(),
  /** Where the judge gave a verdict: whether it stood in the cache, so that nothing was asked. */
  cached: z.boolean().optional(),
  /** Where the judge was away, late or not audited yet: scored again later, the episode may be decided. */
  awaitsJudge: z.literal(true).optional(),
  /** Where the episode's images come from, if pixels came with the request. */
  locations: imageLocationsSchema.optional(),
});
export type EpisodeScore = z.infer<typeof episodeScoreSchema>;

/** Answer of `POST /v1/score`, in the shape of the request. */
export const scoreResponseSchema = z.strictObject({ groups: z.array(z.array(episodeScoreSchema)) });
export type ScoreResponse = z.infer<typeof scoreResponseSchema>;
