import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, writeFileAtomic } from './atomic-file.ts';
import { readBootId, readProcess } from './proc-stat.ts';

const processSchema = z.strictObject({
  /** Also the id of its process group and of its session, which it leads. */
  pid: z.int().positive(),
  startTicks: z.int().nonnegative(),
  bootId: z.string(),
});
export type LedgerProcess = z.infer<typeof processSchema>;

/** `ledger.json` of a program's folder: the truth about what was started there. */
export const ledgerSchema = z.strictObject({
  version: z.literal(1),
  /** What the program carries as `LENSMITH_PROCESS_ID`, such as `<run>/<stage>/<attempt>`. */
  id: z.string().min(1),
  runId: z.string().min(1),
  /** Tells this launch from another one into the same folder. */
  launch: z.string().min(1),
  command: z.array(z.string()).min(1),
  cwd: z.string(),
  ports: z.array(z.int()),
  fencingToken: z.string().nullable(),
  log: z.string(),
  launchedAt: z.iso.datetime(),
  /** Null from the intent to start it until it is known to live. */
  process: processSchema.nullable(),
});
export type Ledger = z.infer<typeof ledgerSchema>;

/** `exit.json`, written when the command has ended. A shell tells a signal as the code 128 + its number. */
export const exitSchema = z.strictObject({
  launch: z.string(),
  code: z.int(),
  /** Unix time, seconds. */
  at: z.int(),
});
export type Exit = z.infer<typeof exitSchema>;

export const ledgerPath = (dir: string): string => join(dir, 'ledger.json');
export const exitPath = (dir: string): string => join(dir, 'exit.json');
export const logPath = (dir: string): string => join(dir, 'output.log');

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** Reads the ledger of a folder; undefined where nothing was ever started there. */
export const readLedger = async (dir: string): Promise<Ledger | undefined> =>
  (await exists(ledgerPath(dir))) ? readJson(ledgerPath(dir), ledgerSchema) : undefined;

export const readExit = async (dir: string): Promise<Exit | undefined> =>
  (await exists(exitPath(dir))) ? readJson(exitPath(dir), exitSchema) : undefined;

export const writeLedger = (dir: string, ledger: Ledger): Promise<void> =>
  writeFileAtomic(ledgerPath(dir), `${JSON.stringify(ledger, null, 2)}\n`);

/** Describes a process of now for a ledger; undefined where it is gone. */
export const identify = (pid: number): LedgerProcess | undefined => {
  const info = readProcess(pid);
  return info && { pid, startTicks: info.startTicks, bootId: readBootId() };
};

/** Whether the very process of a ledger lives: the same pid in another life does not count. */
export const livesStill = (known: LedgerProcess): boolean => {
  const now = identify(known.pid);
  return now !== undefined && now.startTicks === known.startTicks && now.bootId === known.bootId;
};
