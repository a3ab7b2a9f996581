import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import { encodeLine } from '../processes/checked-line.ts';
import { storageFailure, stored } from '../processes/storage-failure.ts';
import { fingerprintDifferences, type JournalHeader, type SampleEntry } from './journal-entry.ts';
import { claimJournal, type JournalOwner } from './journal-owner.ts';
import { type JournalReader, readJournal } from './read-journal.ts';

/** An open journal. */
export interface Journal {
  /**
   * Resolves once the entry is on the disk.
   *
   * @throws LensmithError `disk_full` or `infrastructure` where it cannot be written; no entry is taken after that.
   */
  append(entry: SampleEntry): Promise<void>;
  close(): Promise<void>;
}

const headerDifferences = (found: JournalHeader, wanted: JournalHeader): string[] => [
  ...(found.datasetDigest === wanted.datasetDigest
    ? []
    : [`data set: ${found.datasetDigest} → ${wanted.datasetDigest}`]),
  ...fingerprintDifferences(found.fingerprint, wanted.fingerprint),
];

/** @throws LensmithError `config`, naming each difference, where a journal does not belong to an evaluation. */
export const refuseOther = (path: string, found: JournalHeader, wanted: JournalHeader): void => {
  const differences = headerDifferences(found, wanted);
  if (differences.length > 0)
    throw new LensmithError(
      'config',
      `the journal ${path} belongs to another evaluation (${differences.join('; ')}); choose another output folder, or go back to the earlier settings`,
      { where: path },
    );
};

/** One flush begins this long after the one before, so that the lines of a busy evaluation share it, milliseconds. */
const flushEveryMs = 40;

/** Writes lines in order; those that wait for the disk go there together, with one flush. */
const appender = (path: string, file: FileHandle, owner: JournalOwner) => {
  let waiting: { line: string; done: PromiseWithResolvers<void> }[] = [];
  let writing: Promise<void> | undefined;
  let failure: LensmithError | undefined;
  let flushedAt = Number.NEGATIVE_INFINITY;
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const rest = flushedAt + flushEveryMs - performance.now();
      if (rest > 0) await delay(rest);
      flushedAt = performance.now();
      const batch = waiting;
      waiting = [];
      try {
        // After a failed write a torn line may stand at the end, and nothing may follow it.
        if (failure) throw failure;
        await owner.check();
        await file.appendFile(batch.map(({ line }) => line).join(''));
        await file.datasync();
        for (const { done } of batch) done.resolve();
      } catch (cause) {
        failure ??= storageFailure(path, cause);
        for (const { done } of batch) done.reject(failure);
      }
    }
    writing = undefined;
  };
  return {
    append: (line: string): Promise<void> => {
      if (failure) return Promise.reject(failure);
      const done = Promise.withResolvers<void>();
      waiting.push({ line, done });
      writing ??= drain();
      return done.promise;
    },
    settle: async (): Promise<void> => writing,
  };
};

/**
 * Opens a journal and hands what it holds to `onSample`, in the order of writing; a line that a crash has torn is cut
 * off. A file that is not there is begun with `header`.
 *
 * @throws LensmithError `config` where the journal has another data set or fingerprint, `data` where it is damaged,
 * `disk_full` or `infrastructure` where it cannot be opened or written.
 */
export const openJournal = async (
  path: string,
  header: JournalHeader,
  onSample: JournalReader['onSample'],
): Promise<Journal> => {
  const file = await stored(path, open(path, 'a'));
  let owner: JournalOwner | undefined;
  try {
    const claimed = await claimJournal(path);
    owner = claimed;
    const whole = await readJournal(path, { onHeader: (found) => refuseOther(path, found, header), onSample });
    await file.truncate(whole);
    const lines = appender(path, file, claimed);
    if (whole === 0) await lines.append(encodeLine(header));
    return {
      append: (entry) => lines.append(encodeLine(entry)),
      close: async () => {
        await lines.settle();
        await file.close();
        await claimed.release();
      },
    };
  } catch (error) {
    await file.close();
    await owner?.release();
    throw error;
  }
};
