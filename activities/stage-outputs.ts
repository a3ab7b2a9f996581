import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import type { KeyParts } from '../domain/key-parts.ts';
import type { RunRef, StageName } from '../domain/stage.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import { stageFolder } from './attempts.ts';
import { readRunFile } from './read-run.ts';
import { keyOf } from './stage-key.ts';

/** The stages that leave a folder of their own, and its name in the run's folder. */
export const outputNames = {
  'prepare-data': 'data',
  'base-model': 'base-model',
  sft: 'sft',
  rl: 'checkpoints',
} as const;
export type OutputStage = keyof typeof outputNames;

/** `outputs.json` of a stage's folder: what the stage last began to make, and which folder belongs to which key. */
const outputsSchema = z.strictObject({
  version: z.literal(1),
  /** Opening of the run in which the stage began last; see `RunFile`. */
  opening: z.string().nullable(),
  key: z.string(),
  parts: z.looseObject({
    stage: z.string(),
    code: z.int(),
    config: z.record(z.string(), z.unknown()),
    inputs: z.record(z.string(), z.string()),
  }),
  /** Name of the folder in the run's folder that it writes to. */
  folder: z.string(),
  /** Every folder that the stage has had in this run, with what it belongs to. */
  folders: z.record(z.string(), z.string()),
});
export type StageOutputs = z.infer<typeof outputsSchema>;

const outputsPath = (run: Pick<RunRef, 'dir'>, stage: StageName): string =>
  join(stageFolder(run, stage), 'outputs.json');

/** What a stage last began to make in this run; undefined before its first time. */
export const readOutputs = (run: Pick<RunRef, 'dir'>, stage: OutputStage): Promise<StageOutputs | undefined> =>
  readJson(outputsPath(run, stage), outputsSchema).catch((error: unknown) => {
    if (error instanceof LensmithError) return undefined;
    throw error;
  });

const isEmpty = async (dir: string): Promise<boolean> => (await readdir(dir).catch(() => [])).length === 0;

/**
 * Name of the folder that belongs to what a stage makes: the one it has had already, so that it goes on there, or a
 * new one. Checkpoints of one key are never gone on from under another, and no folder that another run may read from
 * is written over.
 */
const folderFor = async (
  run: Pick<RunRef, 'dir'>,
  stage: OutputStage,
  identity: string,
  known: StageOutputs | undefined,
  anew: boolean,
): Promise<string> => {
  const own = Object.entries(known?.folders ?? {}).find(([, belongsTo]) => belongsTo === identity);
  if (own) return own[0];
  const first = outputNames[stage];
  // A run that began before there were such records has one folder, which was always its own.
  if (!known && !anew) return first;
  for (let number = 1; ; number += 1) {
    const name = number === 1 ? first : `${first}-${number}`;
    if (known?.folders[name] === undefined && (await isEmpty(join(run.dir, name)))) return name;
  }
};

/** What a stage would make, or makes. */
export interface StageOutput {
  readonly key: string;
  /** Absolute path of the folder. */
  readonly dir: string;
}

/** The key of a stage and the folder that it would write to; nothing is written. `anew` sets an asked repetition apart. */
export const findOutput = async (
  run: Pick<RunRef, 'dir'>,
  stage: OutputStage,
  parts: KeyParts,
  anew: string | null,
): Promise<StageOutput> => {
  const key = keyOf(parts);
  const identity = anew === null ? key : `${key} ${anew}`;
  const folder = await folderFor(run, stage, identity, await readOutputs(run, stage), anew !== null);
  return { key, dir: join(run.dir, folder) };
};

/** As {@link findOutput}, and writes down that the stage begins with it. */
export const openOutput = async (run: RunRef, stage: OutputStage, parts: KeyParts): Promise<StageOutput> => {
  const file = await readRunFile(run);
  const anew = file.anew?.[stage] ?? null;
  const known = await readOutputs(run, stage);
  const key = keyOf(parts);
  const identity = anew === null ? key : `${key} ${anew}`;
  const folder = await folderFor(run, stage, identity, known, anew !== null);
  const outputs: StageOutputs = {
    version: 1,
    opening: file.opening ?? null,
    key,
    parts: { ...parts },
    folder,
    folders: { ...known?.folders, [folder]: identity },
  };
  await mkdir(stageFolder(run, stage), { recursive: true });
  await writeFileAtomic(outputsPath(run, stage), `${JSON.stringify(outputs, null, 2)}\n`);
  return { key, dir: join(run.dir, folder) };
};
