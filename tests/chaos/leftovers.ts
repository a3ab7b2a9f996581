import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type ChaosStack, lensmith } from './open-stack.ts';

const temporary = /^\..*\.(tmp|partial|replaced)$/;

/** Files and folders below a folder that were to be renamed or deleted, and were not. */
export const temporaryFiles = async (folder: string): Promise<string[]> => {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => temporary.test(basename(name))).map((name) => join(folder, name));
};

/** What a run has leased, or still waits for. */
export const leasesOf = async (stack: ChaosStack, run: string): Promise<string[]> => {
  const { stdout, failed, stderr } = await lensmith(stack, ['leases', '--json'], 300_000);
  if (failed) return [`nobody can tell: ${stderr}`];
  const { leases, queue }: Record<'leases' | 'queue', { id: string }[]> = JSON.parse(stdout);
  return [...leases, ...queue].map(({ id }) => id).filter((id) => id.startsWith(`train/${run}/`));
};
