import { open, readFile } from 'node:fs/promises';
import type { z } from 'zod';

/** Whether the file's last line was torn by a crash, so that the next one may not be written onto it. */
const endsTorn = async (file: Awaited<ReturnType<typeof open>>): Promise<boolean> => {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== 0x0a;
};

/**
 * Adds one line of JSON to a file that only grows, and puts it to disk. Lines of several processes do not mix. The folder
 * must exist.
 */
export const appendLine = async (path: string, value: unknown): Promise<void> => {
  const file = await open(path, 'a+');
  try {
    const line = `${JSON.stringify(value)}\n`;
    await file.appendFile((await endsTorn(file)) ? `\n${line}` : line);
    await file.sync();
  } finally {
    await file.close();
  }
};

/** The lines that fit the schema, in order; none where there is no file. What a crash has torn is left out. */
export const readLines = async <Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>[]> => {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').flatMap((line) => {
    if (line === '') return [];
    try {
      const parsed = schema.safeParse(JSON.parse(line));
      return parsed.success ? [parsed.data] : [];
    } catch {
      return [];
    }
  });
};
