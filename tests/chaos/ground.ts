import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';

/** Disks that can be filled, each a small file system of its own. */
export const diskNames = ['runs', 'database'] as const;
export type DiskName = (typeof diskNames)[number];

/** Links that can be cut, each by way of a relay that only it uses. */
export const linkNames = ['control-temporal', 'host-temporal', 'host-ray', 'trainer-tools'] as const;
export type LinkName = (typeof linkNames)[number];

const mark = 'LENSMITH_CHAOS_NAMESPACE';
/** The interpreter whose packages can make links and rules of routing. */
export const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
const program = fileURLToPath(new URL('programs/ground.py', import.meta.url));

/** Whether this process is root of namespaces of its own. */
export const isInNamespace = (env: NodeJS.ProcessEnv = process.env): boolean => env[mark] === 'yes';

/** The command line that runs another as root of namespaces of its own. */
export const inNamespace = (command: readonly string[]): [string, ...string[]] => [python, program, ...command];

/** Whether this machine lets an ordinary user make them. */
export const canMakeNamespace = async (): Promise<boolean> => {
  const [command, ...rest] = inNamespace(['true']);
  return !(await execa(command, rest, { reject: false, stdio: 'ignore', timeout: 20_000 })).failed;
};

/**
 * Runs this program once more in namespaces of its own, where the machine allows them.
 *
 * @returns The exit code of that run; undefined where this process is to go on as it is.
 */
export const enterNamespace = async (): Promise<number | undefined> => {
  if (isInNamespace() || !(await canMakeNamespace())) return undefined;
  const [command, ...rest] = inNamespace([process.execPath, ...process.argv.slice(1)]);
  const child = spawn(command, rest, { env: { ...process.env, [mark]: 'yes' }, stdio: 'inherit' });
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  const [code] = await once(child, 'exit');
  return typeof code === 'number' ? code : 1;
};
