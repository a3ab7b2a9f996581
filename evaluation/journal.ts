import { type FileHandle, open } from 'node:fs/promises';
import { LensmithError } from '../domain/errors.ts';
import { fingerprintDifferences, type JournalHeader, type SampleEntry } from './journal-entry.ts';
import { encodeLine } from './journal-line.ts';
import { readJournal } from './read-journal.ts';

/** An open journal. */
export interface Journal {
  /** Resolves once the entry is on the disk. */
  append(entry: SampleEntry): Promise<void>;
  close(): Promise<void>;
}

const refuseOther = (path: string, found: JournalHeader, wanted: JournalHeader): void => {
  const differences = [
    ...(found.datasetDigest === wanted.datasetDigest
      ? []
      : [`data set: ${found.datasetDigest} → ${wanted.datasetDigest}`]),
    ...fingerprintDifferences(found.fingerprint, wanted.fingerprint),
  ];
  if (differences.length > 0)
    throw new LensmithError(
      'config',
      `the journal ${path} belongs to another evaluation (${differences.join('; ')}); choose another output folder, or go back to the earlier settings`,
      { where: path },
    );
};

const writeFailure = (path: string, cause: unknown): LensmithError => {
  const full = cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
  return new LensmithError(
    full ? 'disk_full' : 'infrastructure',
    `the journal ${path} cannot be written: ${String(cause)}`,
    {
      where: path,
      cause,
    },
  );
};

/** Writes lines in order; those that wait for the disk go there together, with one flush. */
const appender = (path: string, file: FileHandle) => {
  let waiting: { line: string; done: PromiseWithResolvers<void> }[] = [];
  let writing: Promise<void> | undefined;
  let failure: LensmithError | undefined;
  const drain = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      try {
        // After a failed write a torn line may stand at the end, and nothing may follow it.
        if (failure) throw failure;
        await file.appendFile(batch.map(({ line }) => line).join(''));
        await file.datasync();
        for (const { done } of batch) done.resolve();
      } catch (cause) {
        failure ??= writeFailure(path, cause);
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
 * @throws LensmithError `config` where the journal has another data set or fingerprint, `data` where it is damaged.
 */
export const openJournal = async (
  path: string,
  header: JournalHeader,
  onSample: (entry: SampleEntry) => void,
): Promise<Journal> => {
  const file = await open(path, 'a');
  try {
    const whole = await readJournal(path, { onHeader: (found) => refuseOther(path, found, header), onSample });
    await file.truncate(whole);
    const lines = appender(path, file);
    if (whole === 0) await lines.append(encodeLine(header));
    return {
      append: (entry) => lines.append(encodeLine(entry)),
      close: async () => {
        await lines.settle();
        await file.close();
      },
    };
  } catch (error) {
    await file.close();
    throw error;
  }
};
