import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import { decodeLine } from '../processes/checked-line.ts';
import { fileLines } from './file-lines.ts';
import { type JournalEntry, type JournalHeader, journalEntrySchema, type SampleEntry } from './journal-entry.ts';

/** Where the line of an entry stands in its file, bytes. */
export interface LinePlace {
  readonly start: number;
  /** Without the line break. */
  readonly length: number;
}

export interface JournalReader {
  readonly onHeader: (header: JournalHeader) => void;
  readonly onSample: (entry: SampleEntry, place: LinePlace) => void;
}

const damaged = (path: string, line: number, why: string): LensmithError =>
  new LensmithError(
    'data',
    `line ${line} of the journal ${path} ${why}; restore the file from a copy, or move it away to ask everything anew`,
    { where: `${path}:${line}` },
  );

/**
 * Reads a journal in order. A last line that a crash has torn counts as not written.
 *
 * @returns Bytes up to the end of the last whole line.
 * @throws LensmithError `data` where a line before the last is damaged.
 */
export const readJournal = async (path: string, { onHeader, onSample }: JournalReader): Promise<number> => {
  let whole = 0;
  for await (const { text, number, start, terminated, last } of fileLines(path)) {
    const entry = terminated ? decodeLine(text) : undefined;
    if (entry === undefined) {
      if (last) return start;
      throw damaged(path, number, 'does not fit its checksum');
    }
    const parsed = journalEntrySchema.safeParse(entry);
    if (!parsed.success) throw damaged(path, number, `is not an entry:\n${z.prettifyError(parsed.error)}`);
    const read: JournalEntry = parsed.data;
    if ((number === 1) !== (read.kind === 'header')) throw damaged(path, number, `is a ${read.kind} entry`);
    const length = Buffer.byteLength(text);
    if (read.kind === 'header') onHeader(read);
    else onSample(read, { start, length });
    whole = start + length + 1;
  }
  return whole;
};
