import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attemptsOf } from './observe.ts';

const stepIn = async (attempt: string, file: string): Promise<number> => {
  const text = await readFile(join(attempt, file), 'utf8').catch(() => '{}');
  const step: unknown = JSON.parse(text).step;
  return typeof step === 'number' ? step : 0;
};

/**
 * How many steps each attempt of a stage after the first did once more: from the checkpoint that it went on from to the
 * furthest step that any attempt before it had reached.
 */
export const repetitionsOf = async (runDir: string, stage: string): Promise<{ attempt: number; again: number }[]> => {
  const attempts = await attemptsOf(runDir, stage);
  const repeated: { attempt: number; again: number }[] = [];
  let furthest = 0;
  for (const [index, attempt] of attempts.entries()) {
    if (index > 0)
      repeated.push({ attempt: index + 1, again: Math.max(0, furthest - (await stepIn(attempt, 'resume.json'))) });
    furthest = Math.max(furthest, await stepIn(attempt, 'progress.json'));
  }
  return repeated;
};
