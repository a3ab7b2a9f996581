import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** Disks that can be filled, each a small file system of its own. */
export const diskNames = ['runs', 'database'] as const;
export type DiskName = (typeof diskNames)[number];

/** Links that can be cut, each by way of a relay that only it uses. */
export const linkNames = ['control-temporal', 'host-temporal', 'host-ray', 'trainer-tools'] as const;
export type LinkName = (typeof linkNames)[number];

const mark = 'LENSMITH_CHAOS_NAMESPACE';
const script = fileURLToPath(new URL('in-namespace.sh', import.meta.url));
const unshare = ['unshare', '--user', '--map-root-user', '--mount', '--net', script];

/** Whether this process is root of namespaces of its own. */
export const isInNamespace = (env: NodeJS.ProcessEnv = process.env): boolean => env[mark] === 'yes';

/** Whether this machine lets an ordinary user make them, and has the tools of iproute2. */
const canMakeNamespace = async (): Promise<boolean> => {
  await access(script, constants.X_OK);
  const [program = '', ...rest] = [...unshare, 'ss', '--version'];
  return !(await execa(program, rest, { reject: false, stdio: 'ignore', timeout: 20_000 })).failed;
};

/**
 * Runs this program once more in namespaces of its own, where the machine allows them.
 *
 * @returns The exit code of that run; undefined where this process is to go on as it is.
 */
export const enterNamespace = async (): Promise<number | undefined> => {
  if (isInNamespace() || !(await canMakeNamespace())) return undefined;
  const [program = '', ...rest] = [...unshare, process.execPath, ...process.argv.slice(1)];
  const child = spawn(program, rest, { env: { ...process.env, [mark]: 'yes' }, stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
};
