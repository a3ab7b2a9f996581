import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { readRestarts } from '../../infra/local/restarts.ts';
import type { Component } from './components.ts';
import { attemptsOf } from './observe.ts';

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Attempts of a stage after its first, and failures that were written down. */
const countOf = async (runDir: string, stage: string): Promise<number> => {
  const attempts = await attemptsOf(runDir, stage);
  const failures = await Promise.all(attempts.map((attempt) => exists(join(attempt, 'failure.json'))));
  return Math.max(0, attempts.length - 1) + failures.filter(Boolean).length;
};

/** A number that grows each time Lensmith writes down that it lost a component; null where nobody has to notice. */
export const noticesOf = async (home: string, runDir: string, { notedBy }: Component): Promise<number | null> => {
  if (notedBy === undefined) return null;
  if ('service' in notedBy) return (await readRestarts(home, notedBy.service)).endings;
  const stages = (await readdir(join(runDir, 'stages')).catch(() => [])).filter((name) =>
    notedBy.attemptsOf.test(name),
  );
  const counts = await Promise.all(stages.map((stage) => countOf(runDir, stage)));
  return counts.reduce((sum, count) => sum + count, 0);
};
