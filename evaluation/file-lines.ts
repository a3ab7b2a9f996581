import { open } from 'node:fs/promises';

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
