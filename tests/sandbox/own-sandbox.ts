import { readdir } from 'node:fs/promises';
import { onTestFinished, vi } from 'vitest';
import { openSandbox, type SandboxOptions } from '../../sandbox/open-sandbox.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { waitFor } from '../processes/wait-for.ts';
import { descendantsOf, descriptorsOf } from './escapes/host-state.ts';
import { python } from './python.ts';

/**
 * A sandbox of the running test alone, whose temporary folder is the test's own: all that it leaves can be told from
 * what others leave.
 */
export const ownSandbox = async (options: Partial<SandboxOptions> = {}) => {
  const folder = await temporaryFolder();
  vi.stubEnv('TMPDIR', folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  const sandbox = await openSandbox({ python, ...options });
  onTestFinished(() => sandbox.close());

  const processes = async () => (await descendantsOf(process.pid)).filter(({ command }) => command.includes(folder));
  /** What the sandbox holds on the host: its processes, this process's descriptors, and its files. */
  const held = async () => ({
    processes: (await processes()).length,
    descriptors: (await descriptorsOf('self')) ?? 0,
    files: (await readdir(folder, { recursive: true })).length,
  });
  /** The same, once it has not changed for a while: sessions end after their last answer. */
  const heldAtRest = () => {
    let last = '';
    let since = Date.now();
    return waitFor('the sandbox to come to rest', async () => {
      const now = await held();
      if (JSON.stringify(now) !== last) since = Date.now();
      last = JSON.stringify(now);
      return Date.now() - since > 500 ? now : undefined;
    });
  };
  return { folder, sandbox, processes, held, heldAtRest };
};
