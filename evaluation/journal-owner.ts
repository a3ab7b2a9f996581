import { randomUUID } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { LensmithError } from '../domain/errors.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { stored } from '../processes/storage-failure.ts';

/** A writer's claim on a journal. */
export interface JournalOwner {
  /** @throws LensmithError `infrastructure` where another process has claimed the journal since. */
  check(): Promise<void>;
  /** Gives the claim back, where it is still this one. */
  release(): Promise<void>;
}

/**
 * Claims a journal for this process. The lock of a host does not reach another one: where an evaluation goes on
 * elsewhere, on a shared file system, the claim makes the process that was left behind stop before its next line.
 *
 * @throws LensmithError `disk_full` or `infrastructure` where the claim cannot be written.
 */
export const claimJournal = async (path: string): Promise<JournalOwner> => {
  const file = `${path}.owner`;
  const claim = `${hostname()} ${process.pid} ${randomUUID()}\n`;
  await stored(file, writeFileAtomic(file, claim));
  const found = (): Promise<string | undefined> => readFile(file, 'utf8').catch(() => undefined);
  /** A claim replaces the file: that the file is the same one is cheaper to tell than what it says. */
  const identity = async (): Promise<string | undefined> => {
    const state = await stat(file, { bigint: true }).catch(() => undefined);
    return state && `${state.ino} ${state.mtimeNs}`;
  };
  const own = await identity();
  return {
    check: async () => {
      if ((await identity()) === own) return;
      const owner = await found();
      if (owner === claim) return;
      const [host, pid] = owner?.split(' ') ?? [];
      throw new LensmithError(
        'infrastructure',
        owner === undefined
          ? `the journal ${path} was given up by another process that had taken it over; run again to go on`
          : `the journal ${path} was taken over by process ${pid} on ${host}; leave the evaluation to it`,
        { where: path },
      );
    },
    release: async () => {
      if ((await found()) === claim) await rm(file, { force: true });
    },
  };
};
