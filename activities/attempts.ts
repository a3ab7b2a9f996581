import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRef } from '../domain/stage.ts';

/** The files of one attempt of a stage's program. `metrics` belongs to the stage: its curve goes on over attempts. */
export interface Attempt {
  readonly number: number;
  readonly dir: string;
  readonly config: string;
  readonly command: string;
  readonly log: string;
  readonly progress: string;
  readonly outcome: string;
  /** Why it ended, where it failed. */
  readonly failure: string;
  readonly metrics: string;
}

const attemptAt = (stageDir: string, number: number): Attempt => {
  const dir = join(stageDir, `attempt-${number}`);
  return {
    number,
    dir,
    config: join(dir, 'config.json'),
    command: join(dir, 'command.json'),
    log: join(dir, 'output.log'),
    progress: join(dir, 'progress.json'),
    outcome: join(dir, 'outcome.json'),
    failure: join(dir, 'failure.json'),
    metrics: join(stageDir, 'metrics.jsonl'),
  };
};

export const stageFolder = (run: Pick<RunRef, 'dir'>, stage: string): string => join(run.dir, 'stages', stage);

/** The attempts of a stage in this run, oldest first. */
export const listAttempts = async (run: Pick<RunRef, 'dir'>, stage: string): Promise<Attempt[]> => {
  const stageDir = stageFolder(run, stage);
  const names = await readdir(stageDir).catch(() => []);
  const numbers = names.flatMap((entry) => /^attempt-(\d+)$/.exec(entry)?.[1] ?? []).map(Number);
  return numbers.sort((a, b) => a - b).map((number) => attemptAt(stageDir, number));
};

/** The newest attempt of a stage in this run; undefined before the first. */
export const latestAttempt = async (run: Pick<RunRef, 'dir'>, stage: string): Promise<Attempt | undefined> =>
  (await listAttempts(run, stage)).at(-1);

/** Makes the folder of the attempt that follows `previous`. */
export const nextAttempt = async (
  run: Pick<RunRef, 'dir'>,
  stage: string,
  previous: Attempt | undefined,
): Promise<Attempt> => {
  const attempt = attemptAt(stageFolder(run, stage), (previous?.number ?? 0) + 1);
  await mkdir(attempt.dir, { recursive: true });
  return attempt;
};
