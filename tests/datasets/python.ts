import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const interpreter = join(import.meta.dirname, '../../.venv/bin/python');

/** Runs a program in the project's Python, which has pyarrow, and gives back what it printed. */
export const python = async (program: string, ...args: readonly string[]): Promise<string> => {
  const { stdout } = await promisify(execFile)(interpreter, ['-c', program, ...args], { timeout: 60_000 });
  return stdout;
};
