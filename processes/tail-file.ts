import { open } from 'node:fs/promises';

const bytesPerLine = 2048;

/** The last bytes of a file, at most `count` of them, without reading the rest. */
export const tailBytes = async (path: string, count: number): Promise<Buffer> => {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    const length = Math.min(size, count);
    const buffer = Buffer.alloc(length);
    const { bytesRead } = await file.read(buffer, 0, length, size - length);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
};

/** The last lines of a text file. Of very long lines only the end is read, 2 KiB a line on average. */
export const tailLines = async (path: string, count: number): Promise<string[]> => {
  const text = (await tailBytes(path, count * bytesPerLine)).toString('utf8');
  const lines = text.replace(/\n$/, '').split('\n');
  return text === '' ? [] : lines.slice(-count);
};
