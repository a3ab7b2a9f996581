import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRef, StageName } from '../domain/stage.ts';

export interface FolderOfCheckpoints {
  readonly stage: StageName;
  /** Absolute path. */
  readonly path: string;
  /** Whether the stage's checkpoints are evaluated. */
  readonly evaluated: boolean;
}

/** First names of the folders that receive checkpoints; what is made anew for another key gets a number behind it. */
const stages: readonly (readonly [name: string, stage: StageName])[] = [
  ['base-model', 'base-model'],
  ['sft', 'sft'],
  ['checkpoints', 'rl'],
];

const numberOf = (name: string): number => Number(/-(\d+)$/.exec(name)?.[1] ?? 1);

/** The folders of a run that have received checkpoints, in the order of the stages. */
export const checkpointFolders = async ({ dir }: Pick<RunRef, 'dir'>): Promise<FolderOfCheckpoints[]> => {
  const names = await readdir(dir).catch(() => []);
  return stages.flatMap(([first, stage]) =>
    names
      .filter((name) => name === first || (name.startsWith(`${first}-`) && /^\d+$/.test(name.slice(first.length + 1))))
      .sort((a, b) => numberOf(a) - numberOf(b))
      .map((name) => ({ stage, path: join(dir, name), evaluated: stage === 'rl' })),
  );
};
