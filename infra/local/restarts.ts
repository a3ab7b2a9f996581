import { access, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeFileAtomic } from '../../processes/atomic-file.ts';
import { serviceDir } from './stack-paths.ts';

/** `restarts.json` of a service: what the supervisor remembers of its endings, also when it is restarted itself. */
const restartsSchema = z.strictObject({
  version: z.literal(1),
  /** Endings since the stack came up. */
  endings: z.int().nonnegative(),
  /** Endings one after another, each soon after its start. */
  failures: z.int().nonnegative(),
  /** The launch whose ending was counted last. */
  launch: z.string().nullable(),
  /** Exit code of that ending; null where none is known. */
  code: z.int().nullable(),
  /** How it ended, in words. */
  note: z.string(),
  /** Unix time before which it is not started again, milliseconds. */
  notBefore: z.number(),
});
export type Restarts = z.infer<typeof restartsSchema>;

export const noRestarts: Restarts = {
  version: 1,
  endings: 0,
  failures: 0,
  launch: null,
  code: null,
  note: '',
  notBefore: 0,
};

const pathOf = (home: string, name: string): string => join(serviceDir(home, name), 'restarts.json');

export const readRestarts = async (home: string, name: string): Promise<Restarts> => {
  const exists = await access(pathOf(home, name)).then(
    () => true,
    () => false,
  );
  return exists ? readJson(pathOf(home, name), restartsSchema) : noRestarts;
};

export const writeRestarts = (home: string, name: string, restarts: Restarts): Promise<void> =>
  writeFileAtomic(pathOf(home, name), `${JSON.stringify(restarts, null, 2)}\n`);

export const forgetRestarts = (home: string, name: string): Promise<void> => rm(pathOf(home, name), { force: true });

const firstPauseMs = 500;
const longestPauseMs = 30_000;

/** Milliseconds to wait after so many failures in a row: half a second, doubled each time, at most half a minute. */
export const backOff = (failures: number): number => Math.min(firstPauseMs * 2 ** (failures - 1), longestPauseMs);
