import { LensmithError } from '../domain/errors.ts';
import { entryKey, type JournalHeader, type SampleEntry } from './journal-entry.ts';
import { openEntryReader } from './read-entry.ts';
import { type LinePlace, readJournal } from './read-journal.ts';

/** Which entries are wanted: those of the first `limit` samples, and of each the first `attempts`. */
export interface EntrySelection {
  readonly limit?: number;
  readonly attempts?: number;
}

/** A journal's header and where the last entry of each key stands, in the order of the data set. */
export interface JournalIndex {
  readonly header: JournalHeader;
  readonly places: readonly LinePlace[];
}

/** @throws LensmithError `data` where there is no journal with entries, or it is damaged. */
export const indexJournal = async (
  path: string,
  { limit = Number.POSITIVE_INFINITY, attempts = Number.POSITIVE_INFINITY }: EntrySelection = {},
): Promise<JournalIndex> => {
  let header: JournalHeader | undefined;
  const found = new Map<string, { row: number; attempt: number; place: LinePlace }>();
  try {
    await readJournal(path, {
      onHeader: (read) => {
        header = read;
      },
      onSample: (entry, place) => {
        const { row = found.size, attempt } = entry;
        if (row < limit && attempt < attempts) found.set(entryKey(entry), { row, attempt, place });
      },
    });
  } catch (cause) {
    if (cause instanceof LensmithError) throw cause;
    throw new LensmithError('data', `expected the journal of an evaluation at ${path}: ${String(cause)}`, {
      where: path,
      cause,
    });
  }
  if (!header) throw new LensmithError('data', `expected a journal with entries at ${path}`, { where: path });
  const places = [...found.values()].sort((a, b) => a.row - b.row || a.attempt - b.attempt).map(({ place }) => place);
  return { header, places };
};

/** The entries of an index, one in memory at a time. */
export async function* indexedEntries(path: string, { places }: JournalIndex): AsyncGenerator<SampleEntry> {
  const reader = await openEntryReader(path);
  try {
    for (const place of places) yield await reader.read(place);
  } finally {
    await reader.close();
  }
}
