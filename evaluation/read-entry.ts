import { type FileHandle, open } from 'node:fs/promises';
import { LensmithError } from '../domain/errors.ts';
import { decodeLine } from '../processes/checked-line.ts';
import { type SampleEntry, sampleEntrySchema } from './journal-entry.ts';
import type { LinePlace } from './read-journal.ts';

/** Entries of a journal by their places, for what does not fit in memory. */
export interface EntryReader {
  /**
   * @throws LensmithError `data` where the line is not what it was when its place was noted, `infrastructure` where it
   * cannot be read.
   */
  read(place: LinePlace): Promise<SampleEntry>;
  close(): Promise<void>;
}

const readAt = async (file: FileHandle, { start, length }: LinePlace): Promise<string> => {
  const bytes = Buffer.alloc(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(bytes, filled, length - filled, start + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return bytes.toString('utf8', 0, filled);
};

/** What is made of the journal says by this that it was the journal, and not the file that it writes. */
const unreadable =
  (path: string) =>
  (cause: unknown): never => {
    throw new LensmithError('infrastructure', `the journal ${path} cannot be read: ${String(cause)}`, {
      where: path,
      cause,
    });
  };

/**
 * Opens a journal for reading single entries.
 *
 * @throws LensmithError `infrastructure` where it cannot be opened.
 */
export const openEntryReader = async (path: string): Promise<EntryReader> => {
  const file = await open(path, 'r').catch(unreadable(path));
  return {
    read: async (place) => {
      const parsed = sampleEntrySchema.safeParse(decodeLine(await readAt(file, place).catch(unreadable(path))));
      if (parsed.success) return parsed.data;
      throw new LensmithError(
        'data',
        `expected an entry at byte ${place.start} of the journal ${path}, which changed`,
        {
          where: path,
          cause: parsed.error,
        },
      );
    },
    close: () => file.close(),
  };
};
