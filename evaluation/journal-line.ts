import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

const prefix = '{"checksum":"';
const middle = '","entry":';
const entryStart = prefix.length + 16 + middle.length;

const checksum = (body: string): string => createHash('sha256').update(body).digest('hex').slice(0, 16);

/** A journal's line: JSON with the entry and the first 16 hex digits of the SHA-256 of the entry's text. */
export const encodeLine = (entry: unknown): string => {
  const body = JSON.stringify(entry);
  return `${prefix}${checksum(body)}${middle}${body}}\n`;
};

/** The entry of a line; undefined where the line is not whole. */
export const decodeLine = (line: string): unknown => {
  const body = line.slice(entryStart, -1);
  if (line !== `${prefix}${checksum(body)}${middle}${body}}`) return undefined;
  return JSON.parse(body);
};

export interface FileLine {
  readonly text: string;
  /** 1-based. */
  readonly number: number;
  /** Offset of the line's first byte. */
  readonly start: number;
  /** The line has its line break. */
  readonly terminated: boolean;
  /** Nothing follows. */
  readonly last: boolean;
}

/** The lines of a file, one in memory at a time. */
export async function* fileLines(path: string): AsyncGenerator<FileLine> {
  const file = await open(path, 'r');
  try {
    let pieces: Buffer[] = [];
    let start = 0;
    let number = 0;
    let waiting: Omit<FileLine, 'last'> | undefined;
    const lineOf = (terminated: boolean): Omit<FileLine, 'last'> => {
      const bytes = Buffer.concat(pieces);
      number += 1;
      const line = { text: bytes.toString('utf8'), number, start, terminated };
      start += bytes.length + Number(terminated);
      pieces = [];
      return line;
    };
    for await (const chunk of file.createReadStream({ autoClose: false }) as AsyncIterable<Buffer>) {
      let from = 0;
      for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
        pieces.push(chunk.subarray(from, end));
        from = end + 1;
        if (waiting) yield { ...waiting, last: false };
        waiting = lineOf(true);
      }
      if (from < chunk.length) pieces.push(chunk.subarray(from));
    }
    if (pieces.length > 0) {
      if (waiting) yield { ...waiting, last: false };
      waiting = lineOf(false);
    }
    if (waiting) yield { ...waiting, last: true };
  } finally {
    await file.close();
  }
}
