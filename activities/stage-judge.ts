import { join } from 'node:path';
import { LensmithError } from '../domain/errors.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import { type AuditedJudge, type AuditedJudgeOptions, auditedJudge } from '../scoring/judge/audited-judge.ts';
import { type JudgeOptions, openJudge } from '../scoring/judge/judge-client.ts';
import { judgePanel } from '../scoring/judge/judge-panel.ts';
import type { Host } from './host.ts';
import { judgeAuditFolder } from './judge-audit-folder.ts';
import { judgeIdOf } from './judge-id.ts';
import type { ServerEndpoint } from './model-server.ts';
import { resolveModelPath } from './resolve-model-path.ts';

/** How long a question may take, milliseconds, where not as long as an evaluation can wait. */
export type JudgePatience = Pick<JudgeOptions, 'awayMs' | 'deadlineMs'> & Pick<AuditedJudgeOptions, 'auditWaitMs'>;

/** Beyond it an evaluation ends with what it has; started again, it asks the judge anew. */
const longestAbsenceSeconds = 300;

/** The judge of a run behind its audit, and what results call it. */
export interface StageJudge extends AuditedJudge {
  readonly id: string;
}

type Place = Pick<JudgeOptions, 'url' | 'model' | 'apiKey' | 'requestsPerMinute'> & { readonly id: string };

const keyOf = (variable: string | null): Pick<Place, 'apiKey'> => {
  if (variable === null) return {};
  const apiKey = process.env[variable];
  if (apiKey) return { apiKey };
  throw new LensmithError('auth', `expected the API key of a judge in the variable ${variable}, it is not set`, {
    where: 'judge.others',
  });
};

/**
 * Finds a missing key of a judge that is served elsewhere before anything needs it.
 *
 * @throws LensmithError `auth` naming the variable.
 */
export const assertJudgeKeys = ({ judge }: Pick<RunSpec, 'judge'>): void => {
  for (const { apiKeyVariable } of judge.others) keyOf(apiKeyVariable);
};

// The name under which it is served is the same for every model: the cache has to know which one it was.
const servedId = async (host: Host, { judge }: Pick<RunSpec, 'judge'>): Promise<string> =>
  judgeIdOf(await resolveModelPath(host, judge.model));

/** The judges that decide rewards, as caches, audits and results call them; none where rules alone do. */
export const rewardJudgeIds = async (host: Host, spec: Pick<RunSpec, 'judge' | 'rl'>): Promise<string[]> => {
  if (spec.rl.openAnswers === 'mask') return [];
  const served = spec.judge.engine === 'none' ? [] : [await servedId(host, spec)];
  return [...served, ...spec.judge.others.map(({ model }) => model)];
};

const placesOf = async (
  host: Host,
  spec: Pick<RunSpec, 'judge'>,
  endpoint: ServerEndpoint | null,
): Promise<Place[]> => {
  const { judge } = spec;
  const own = async ({ url, servedName }: ServerEndpoint): Promise<Place> => ({
    url,
    model: servedName,
    id: await servedId(host, spec),
  });
  const others = judge.others.map(
    ({ urls, model, apiKeyVariable, requestsPerMinute }): Place => ({
      url: urls,
      model,
      id: model,
      ...keyOf(apiKeyVariable),
      ...(requestsPerMinute === null ? {} : { requestsPerMinute }),
    }),
  );
  return [...(endpoint ? [await own(endpoint)] : []), ...others];
};

/**
 * Opens the judges of a run: the one that it serves and those that are served elsewhere. Their audits are made when the
 * first answer needs them, and kept for all runs of the host.
 *
 * @returns Undefined where the run has none.
 * @throws LensmithError `config` where the judge's model cannot be found, `auth` where the key of another one is missing.
 */
export const openStageJudge = async (
  host: Host,
  spec: Pick<RunSpec, 'judge'>,
  endpoint: ServerEndpoint | null,
  signal: AbortSignal,
  { auditWaitMs, ...patience }: JudgePatience = {},
): Promise<StageJudge | undefined> => {
  const { audit, startSeconds, requestSeconds, concurrency } = spec.judge;
  const places = await placesOf(host, spec, endpoint);
  const [first, ...others] = places.map((place) =>
    auditedJudge({
      client: openJudge({
        ...place,
        cacheDir: join(host.home, 'cache', 'judge'),
        timeoutMs: 1000 * requestSeconds,
        // A server that died is started again, which takes it as long as its first start.
        awayMs: 1000 * Math.min(startSeconds, longestAbsenceSeconds),
        maxInFlight: concurrency,
        signal,
        ...patience,
      }),
      policy: audit,
      folder: judgeAuditFolder(host),
      ...(auditWaitMs === undefined ? {} : { auditWaitMs }),
    }),
  );
  return first && { id: places.map(({ id }) => id).join(' + '), ...judgePanel(first, ...others) };
};
