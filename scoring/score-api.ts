import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import { type ScoreRequest, type ScoreResponse, scoreRequestSchema } from '../domain/score.ts';
import { limitBody } from '../http/limit-body.ts';
import { readBody } from '../http/read-body.ts';
import { createLocator } from './effects/locator.ts';
import { decideEpisode } from './grade-episode.ts';
import type { Judge } from './judge/judge-client.ts';
import { judgeForTask } from './judge/judge-kind.ts';
import { judgeUntil } from './judge/judge-until.ts';
import { createResponseMemory } from './response-memory.ts';
import { type ScoreTools, scoreBatch } from './score-batch.ts';
import { createScoreMetrics } from './score-metrics.ts';

const tooLong = limitBody(256 * 1024 * 1024);
/** About half a kilobyte each. */
const rememberedEpisodes = 65_536;
const isOver: unique symbol = Symbol('deadline');

export interface ScoreApiOptions {
  /** Decides what the rules cannot, of requests that name no run; without one such an answer is masked. */
  readonly judge?: Judge;
  /**
   * The judge of a run, for requests that name one; undefined where it has none.
   *
   * @throws LensmithError `config` for an unknown run, `infrastructure` where its judge is not served yet.
   */
  readonly judgeOfRun?: (run: string) => Promise<Judge | undefined>;
  /** Seconds after which a request waits for no judge any more, and masks what it left open. @default 90 */
  readonly judgeSeconds?: number;
  /** Replaces the rules and the judge together. */
  readonly grade?: ScoreTools['grade'];
  /** Episodes that may be in the making; a request that would go beyond is told to come again. @default 8192 */
  readonly maximumEpisodes?: number;
  /** Seconds after which a request is answered with 503; sent again with its id, it gets what was done meanwhile. @default 110 */
  readonly deadlineSeconds?: number;
}

const refuse = (context: Context, status: 400 | 409 | 429 | 503, type: string, message: string): Response =>
  context.json({ error: { type, message } }, status, status === 429 || status === 503 ? { 'retry-after': '1' } : {});

/**
 * The routes `POST /v1/score` and `GET /v1/score/metrics`: groups of episodes in; each one's grade, terms, reward and
 * values of turns out.
 *
 * With an `id` a request is done once: sent again it has the same response, and with another body 409. 429 where too
 * many episodes are in the making, 503 after the deadline, both with Retry-After; 400 and the place for a body that
 * does not fit. With a `run` its judge decides what the rules leave open; one that is away masks the episode.
 */
export const scoreApi = (options: ScoreApiOptions = {}): Hono => {
  const { maximumEpisodes = 8192, deadlineSeconds = 110, judgeSeconds = 90 } = options;
  const app = new Hono();
  const metrics = createScoreMetrics();
  const memory = createResponseMemory<ScoreResponse>({ weight: rememberedEpisodes });
  const locator = createLocator();
  let inFlight = 0;

  const judgeOf = async ({ run }: ScoreRequest): Promise<Judge | undefined> => {
    if (run === undefined) return options.judge;
    if (options.judgeOfRun) return options.judgeOfRun(run);
    throw new LensmithError('config', `this server knows no runs, got "${run}"; leave it out`, { where: 'run' });
  };

  const gradeOf = async (request: ScoreRequest): Promise<ScoreTools['grade']> => {
    if (options.grade) return options.grade;
    const found = await judgeOf(request);
    if (!found) return (episode) => decideEpisode(episode);
    const judge = judgeUntil(found, performance.now() + 1000 * judgeSeconds);
    return (episode) => decideEpisode(episode, { judge: judgeForTask(judge, episode.task) });
  };

  const score = async (request: ScoreRequest): Promise<ScoreResponse> => {
    const started = performance.now();
    const episodes = request.groups.reduce((sum, group) => sum + group.length, 0);
    inFlight += episodes;
    try {
      const response = await scoreBatch(request, { grade: await gradeOf(request), locator });
      metrics.scored(request, response, (performance.now() - started) / 1000);
      return response;
    } finally {
      inFlight -= episodes;
    }
  };

  const withinTime = async (response: Promise<ScoreResponse>): Promise<ScoreResponse | typeof isOver> => {
    const timer = new AbortController();
    const over = delay<typeof isOver>(deadlineSeconds * 1000, isOver, { signal: timer.signal }).catch(
      (): typeof isOver => isOver,
    );
    try {
      return await Promise.race([response, over]);
    } finally {
      timer.abort();
    }
  };

  const answer = async (context: Context, response: Promise<ScoreResponse>, kind: 'scored' | 'repeated') => {
    try {
      const result = await withinTime(response);
      metrics.outcome(result === isOver ? 'deadline' : kind);
      if (result === isOver)
        return refuse(context, 503, 'infrastructure', `no scores within ${deadlineSeconds} s; send the request again`);
      return context.json(result);
    } catch (error) {
      metrics.outcome('failed');
      if (!(error instanceof LensmithError)) throw error;
      const isFinal = error.type === 'data' || error.type === 'config' || error.type === 'auth';
      return refuse(context, isFinal ? 400 : 503, error.type, error.message);
    }
  };

  app.post('/v1/score', async (context) => {
    const refused = await tooLong(context);
    if (refused) return refused;
    const { text, parsed } = await readBody(context, scoreRequestSchema);
    if (!parsed.success) {
      metrics.outcome('invalid');
      return refuse(context, 400, 'data', z.prettifyError(parsed.error));
    }
    const { id, groups } = parsed.data;
    const digest = id === undefined ? '' : createHash('sha256').update(text).digest('hex');
    const known = id === undefined ? undefined : memory.find(id, digest);
    if (known?.kind === 'conflict') {
      metrics.outcome('conflict');
      return refuse(context, 409, 'config', `the id ${id} belongs to a request with another body; take a new id`);
    }
    if (known) return answer(context, known.response, 'repeated');
    const episodes = groups.reduce((sum, group) => sum + group.length, 0);
    // One that is larger than the limit gets its turn when nothing else is there.
    if (inFlight > 0 && inFlight + episodes > maximumEpisodes) {
      metrics.outcome('busy');
      return refuse(context, 429, 'infrastructure', `${inFlight} episodes are being scored, ${maximumEpisodes} may be`);
    }
    const response = score(parsed.data);
    if (id !== undefined) memory.keep(id, { bodyDigest: digest, weight: episodes, response });
    return answer(context, response, 'scored');
  });

  app.get('/v1/score/metrics', (context) => context.text(metrics.render(inFlight)));
  return app;
};
