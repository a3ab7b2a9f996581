import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { z } from 'zod';
import { type ScoreResponse, scoreRequestSchema } from '../domain/score.ts';
import { gradeEpisode } from './grade-episode.ts';
import type { Judge } from './judge/judge-client.ts';
import { scoreGroup } from './rewards/reward.ts';
import { rewards } from './rewards/rewards.ts';

const maximumBytes = 64 * 1024 * 1024;

/**
 * The route `POST /v1/score`: groups of episodes in, each one's grade, terms and reward out. It keeps nothing, so that
 * the same request may be sent again. A body that does not fit the schema is answered with 400 and the place.
 */
export const scoreApi = ({ judge }: { judge?: Judge } = {}): Hono => {
  const app = new Hono();
  app.post('/v1/score', bodyLimit({ maxSize: maximumBytes }), async (context) => {
    const body: unknown = await context.req.json().catch(() => undefined);
    const parsed = scoreRequestSchema.safeParse(body);
    if (!parsed.success) return context.json({ error: { type: 'data', message: z.prettifyError(parsed.error) } }, 400);
    const reward = rewards[parsed.data.reward];
    const groups = await Promise.all(
      parsed.data.groups.map(async (episodes) => {
        const graded = await Promise.all(
          episodes.map(async (episode) => ({ episode, grade: await gradeEpisode(episode, judge ? { judge } : {}) })),
        );
        return scoreGroup(reward, graded);
      }),
    );
    return context.json({ groups } satisfies ScoreResponse);
  });
  return app;
};
