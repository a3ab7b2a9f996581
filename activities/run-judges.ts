import { join } from 'node:path';
import { LensmithError } from '../domain/errors.ts';
import type { Host } from './host.ts';
import { runsFolder } from './host.ts';
import { judgeEndpoint } from './model-server.ts';
import { readSpec } from './read-run.ts';
import { type JudgePatience, openStageJudge, type StageJudge } from './stage-judge.ts';

/**
 * A step of RL waits for its scores: an outage has to end in masked episodes before the trainer's patience does, and the
 * first audit of a judge, which may take minutes, holds up no step.
 */
const rlPatience: JudgePatience = { awayMs: 20_000, deadlineMs: 90_000, auditWaitMs: 5000 };

/** Judges of earlier runs that are kept open. */
const keptOpen = 16;

/**
 * The judges of a host's runs, each behind its audit. What they are is read from the run's folder each time, so that a
 * judge that was started again under another address is found, and so is any by a server that was started again.
 *
 * @returns What gives the judge of a run; undefined where its spec has none. It throws LensmithError `config` for an
 * unknown run, and `infrastructure` where the run's judge was not served yet.
 */
export const createRunJudges = (
  host: Host,
  signal: AbortSignal,
  patience: JudgePatience = rlPatience,
): ((run: string) => Promise<StageJudge | undefined>) => {
  const open = new Map<string, { readonly as: string; readonly judge: Promise<StageJudge | undefined> }>();
  return async (run) => {
    const dir = join(runsFolder(host), run);
    const spec = await readSpec({ dir }).catch((cause: unknown) => {
      throw new LensmithError('config', `expected a run of this host, got "${run}": ${String(cause)}`, {
        where: 'run',
        cause,
      });
    });
    const served = spec.judge.engine === 'none' ? null : await judgeEndpoint({ dir }, spec);
    if (spec.judge.engine !== 'none' && !served)
      throw new LensmithError('infrastructure', `the judge of the run "${run}" is not served yet`, { where: dir });
    const as = JSON.stringify([spec.judge, served?.url]);
    const known = open.get(run);
    if (known?.as === as) return known.judge;
    const judge = openStageJudge(host, spec, served, signal, patience);
    judge.catch(() => open.delete(run));
    open.delete(run);
    open.set(run, { as, judge });
    for (const oldest of [...open.keys()].slice(0, Math.max(0, open.size - keptOpen))) open.delete(oldest);
    return judge;
  };
};
