import { join } from 'node:path';
import type { JudgeStanding } from '../domain/judge.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef } from '../domain/stage.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { stageFolder } from './attempts.ts';
import type { Host } from './host.ts';
import { judgeEndpoint } from './model-server.ts';
import { openStageJudge } from './stage-judge.ts';

/** File in the folder of the stage `rl` that says who decided rewards beside the rules. */
export const rewardJudgeFile = (run: Pick<RunRef, 'dir'>): string => join(stageFolder(run, 'rl'), 'judge.json');

const standingOf = async (host: Host, run: Pick<RunRef, 'dir'>, spec: RunSpec): Promise<JudgeStanding | null> => {
  const endpoint = spec.judge.engine === 'none' ? null : await judgeEndpoint(run, spec);
  const judge = await openStageJudge(host, spec, endpoint, AbortSignal.abort());
  return (await judge?.standing()) ?? null;
};

/** Writes how the judge of a run's rewards stood: `judge` is its standing, null where rules alone decided. */
export const recordRewardJudge = async (host: Host, run: Pick<RunRef, 'dir'>, spec: RunSpec): Promise<void> => {
  const standing = spec.rl.openAnswers === 'mask' ? null : await standingOf(host, run, spec);
  const note = standing?.note ?? 'rules alone decided; an episode whose answer they leave open was masked';
  await writeFileAtomic(rewardJudgeFile(run), `${JSON.stringify({ judge: standing, note }, null, 2)}\n`);
};
