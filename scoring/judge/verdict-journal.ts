import { closeSync, fstatSync, openSync, statSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { decodeLine, encodeLine, entryText } from '../../processes/checked-line.ts';

/** What is kept under a key: names and texts. */
export type KeptEntry = Readonly<Record<string, string>>;

const keyStart = '{"key":"';
const keyCharacters = 64;

/** The key of a line; undefined where the line is not whole. It is cut out: many lines are only looked at for it. */
const keyOf = (line: string): string | undefined => {
  const body = entryText(line);
  return body?.startsWith(keyStart) ? body.slice(keyStart.length, keyStart.length + keyCharacters) : undefined;
};

/** Two keys of which these digits are equal share a place: the older one is then asked for again. */
const placeOf = (key: string): number => Number.parseInt(key.slice(0, 13), 16);

const chunkBytes = 256 * 1024;
const lineBytes = 4 * 1024;
const lineBreak = 10;

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

const readAt = async (file: FileHandle, start: number, bytes: number): Promise<Buffer> => {
  const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(bytes), 0, bytes, start);
  return buffer.subarray(0, bytesRead);
};

/** The line that begins at `start`, without its break; undefined where it has none. */
const lineAt = async (file: FileHandle, start: number): Promise<string | undefined> => {
  const pieces: Buffer[] = [];
  for (let at = start; ; ) {
    const piece = await readAt(file, at, lineBytes);
    const end = piece.indexOf(lineBreak);
    pieces.push(end < 0 ? piece : piece.subarray(0, end));
    if (end >= 0) return Buffer.concat(pieces).toString('utf8');
    if (piece.length === 0) return undefined;
    at += piece.length;
  }
};

/**
 * Entries by SHA-256 in hexadecimal in one append-only file of lines, each with its checksum. Processes that run at
 * once share it: what one of them adds, the others find. A line that is torn or damaged is no entry and harms no other.
 *
 * In memory is where each entry stands, some 60 bytes for each.
 */
export const openVerdictJournal = (path: string) => {
  let places = new Map<number, number>();
  /** End of the last line that was read. */
  let known = 0;
  let reading: Promise<void> | undefined;
  let written: number | undefined;

  const beginAnew = (): void => {
    places = new Map();
    known = 0;
  };

  /** The file to append to, held open; where somebody has removed or replaced it, the one that has its name now. */
  const target = (): { readonly descriptor: number; readonly size: number } => {
    if (written !== undefined) {
      const { nlink, size } = fstatSync(written);
      if (nlink > 0) return { descriptor: written, size };
      closeSync(written);
      written = undefined;
      if (!reading) beginAnew();
    }
    written = openSync(path, 'a');
    return { descriptor: written, size: fstatSync(written).size };
  };

  const learn = (line: Buffer, start: number): void => {
    const key = keyOf(line.toString('utf8'));
    if (key !== undefined) places.set(placeOf(key), start);
  };

  /** Reads the lines that came since the last look. */
  const catchUp = async (): Promise<void> => {
    const file = await open(path, 'r');
    try {
      let rest = Buffer.alloc(0);
      for (let at = known; ; ) {
        const piece = await readAt(file, at, chunkBytes);
        if (piece.length === 0) return;
        at += piece.length;
        rest = Buffer.concat([rest, piece]);
        let from = 0;
        for (let end = rest.indexOf(lineBreak); end >= 0; end = rest.indexOf(lineBreak, from)) {
          learn(rest.subarray(from, end), known + from);
          from = end + 1;
        }
        known += from;
        rest = rest.subarray(from);
      }
    } finally {
      await file.close();
    }
  };

  const look = async (): Promise<void> => {
    const size = sizeOf(path);
    // Somebody began the file anew.
    if (size < known && !reading) beginAnew();
    if (size === known) return;
    reading ??= catchUp().finally(() => {
      reading = undefined;
    });
    await reading;
  };

  return {
    /** Whatever keeps the file from being read, the entry is then not there. */
    find: async (key: string): Promise<unknown> => {
      await look().catch(() => undefined);
      const start = places.get(placeOf(key));
      if (start === undefined) return undefined;
      const file = await open(path, 'r').catch(() => undefined);
      try {
        const line = file && (await lineAt(file, start));
        return line !== undefined && keyOf(line) === key ? decodeLine(line) : undefined;
      } catch {
        return undefined;
      } finally {
        await file?.close();
      }
    },
    /**
     * Adds an entry with one write at the file's end; it is not flushed, which would cost more than what a crash of the
     * machine can lose. Only the page cache takes it, and a thread would take many times longer to be told to.
     *
     * @throws what the file system throws.
     */
    keep: (key: string, entry: KeptEntry): void => {
      const { descriptor, size: before } = target();
      // Behind the last known line stands what others added, or a line that was torn.
      const own = encodeLine({ key, ...entry });
      const line = Buffer.from(before === known ? own : `\n${own}`);
      const count = writeSync(descriptor, line);
      if (count < line.length) throw new Error(`expected to write ${line.length} bytes to ${path}, wrote ${count}`);
      // Nobody else wrote meanwhile: the line stands where it was expected.
      if (reading || before !== known || fstatSync(descriptor).size !== before + line.length) return;
      places.set(placeOf(key), before);
      known = before + line.length;
    },
  };
};
