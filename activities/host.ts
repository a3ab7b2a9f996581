import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RayEndpoint } from '../processes/ray-jobs.ts';

/** What the activities of one host share: where it keeps things and how it reaches what runs beside it. */
export interface Host {
  readonly name: string;
  /** Folder of runs, cache and stack. */
  readonly home: string;
  /** Folder that holds `trainers/` and `episodes/`. */
  readonly checkout: string;
  readonly python: string;
  /** Address under which other hosts reach the model servers of this one. @default 127.0.0.1 */
  readonly address?: string;
  /** Base URL of Ray's Jobs API. */
  readonly rayAddress: string;
  /** Token that Ray asks for, where it asks for one. */
  readonly rayToken?: string | undefined;
  /** Base URL of the tool server: sessions, executions, scores. */
  readonly toolServer: string;
}

const checkout = resolve(fileURLToPath(new URL('..', import.meta.url)));

/** The home that the environment names, or `.lensmith` in the checkout. */
export const lensmithHome = (env: NodeJS.ProcessEnv = process.env): string =>
  resolve((env.LENSMITH_HOME || join(checkout, '.lensmith')).replace(/^~(?=\/|$)/, homedir()));

/** Reads the host's settings from the environment that `lensmith up` or a service file gives. */
export const hostFromEnvironment = async (env: NodeJS.ProcessEnv = process.env): Promise<Host> => {
  const home = lensmithHome(env);
  await mkdir(join(home, 'runs'), { recursive: true });
  return {
    name: env.LENSMITH_HOST ?? 'local',
    home,
    checkout,
    python: env.LENSMITH_PYTHON ?? join(checkout, '.venv', 'bin', 'python'),
    ...(env.LENSMITH_ADDRESS ? { address: env.LENSMITH_ADDRESS } : {}),
    rayAddress: env.LENSMITH_RAY_ADDRESS ?? 'http://127.0.0.1:8265',
    rayToken: env.LENSMITH_RAY_TOKEN,
    toolServer: env.LENSMITH_TOOL_SERVER ?? 'http://127.0.0.1:8450',
  };
};

/** Where the model servers of a host listen. */
export const addressOf = ({ address }: Pick<Host, 'address'>): string => address ?? '127.0.0.1';

/** How to speak to the Ray of a host. */
export const rayOf = ({ rayAddress, rayToken }: Host): RayEndpoint => ({ address: rayAddress, token: rayToken });

export const runsFolder = (host: Pick<Host, 'home'>): string => join(host.home, 'runs');
