import { randomBytes } from 'node:crypto';
import { access, mkdir } from 'node:fs/promises';
import { z } from 'zod';
import { readJson, writeFileAtomic } from '../../processes/atomic-file.ts';
import { freePort, isPortFree } from '../../processes/free-port.ts';
import { stackDir, stackId, statePath } from './stack-paths.ts';

/** Tried first, so that the addresses are the ones people know; another free port is taken where one is in use. */
const preferredPorts = {
  temporal: 7233,
  temporalUi: 8233,
  ray: 6379,
  rayDashboard: 8265,
  rayClient: 10001,
  rayAgent: 52365,
  toolServer: 8450,
};
export type StackPorts = { readonly [Name in keyof typeof preferredPorts]: number };

const port = z.int().min(1).max(65535);

/** `state.json` of a stack: chosen once and kept, so that a restarted service has the address that others know. */
export const stackStateSchema = z.strictObject({
  version: z.literal(1),
  id: z.string(),
  home: z.string(),
  ports: z.strictObject({
    temporal: port,
    temporalUi: port,
    ray: port,
    rayDashboard: port,
    rayClient: port,
    rayAgent: port,
    toolServer: port,
  }),
  /** Ray listens on every interface of the host: without a token anyone who reaches it could run code. */
  rayToken: z.string().min(32),
  /** What a worker or a command needs to find the stack. */
  environment: z.record(z.string(), z.string()),
});
export type StackState = z.infer<typeof stackStateSchema>;

/** The state of a home's stack; undefined where none was ever started. */
export const readStackState = async (home: string): Promise<StackState | undefined> => {
  const exists = await access(statePath(home)).then(
    () => true,
    () => false,
  );
  return exists ? readJson(statePath(home), stackStateSchema) : undefined;
};

const choosePorts = async (
  asked: Partial<StackPorts>,
  known: StackPorts | undefined,
  inUse: boolean,
): Promise<StackPorts> => {
  if (known && inUse) return known;
  const chosen = { ...preferredPorts, ...known, ...asked };
  const taken = new Set<number>(Object.values(asked));
  for (const name of Object.keys(preferredPorts) as (keyof StackPorts)[]) {
    if (asked[name] !== undefined) continue;
    while (taken.has(chosen[name]) || !(await isPortFree(chosen[name]))) chosen[name] = await freePort();
    taken.add(chosen[name]);
  }
  return chosen;
};

const environmentOf = (home: string, ports: StackPorts, rayToken: string): Record<string, string> => ({
  TEMPORAL_ADDRESS: `127.0.0.1:${ports.temporal}`,
  TEMPORAL_NAMESPACE: 'default',
  LENSMITH_HOME: home,
  LENSMITH_HOST: 'local',
  LENSMITH_RAY_ADDRESS: `http://127.0.0.1:${ports.rayDashboard}`,
  LENSMITH_RAY_TOKEN: rayToken,
  LENSMITH_TOOL_SERVER: `http://127.0.0.1:${ports.toolServer}`,
});

/**
 * Chooses the ports of a stack, or keeps the known ones.
 *
 * @param inUse - Whether any part of the stack runs: then nothing is chosen anew.
 */
export const openStackState = async (home: string, asked: Partial<StackPorts>, inUse: boolean): Promise<StackState> => {
  // It holds the token of Ray.
  await mkdir(stackDir(home), { recursive: true, mode: 0o700 });
  const known = await readStackState(home);
  const ports = await choosePorts(asked, known?.ports, inUse);
  const rayToken = known?.rayToken ?? randomBytes(24).toString('hex');
  const environment = environmentOf(home, ports, rayToken);
  const state: StackState = { version: 1, id: stackId(home), home, ports, rayToken, environment };
  await writeFileAtomic(statePath(home), `${JSON.stringify(state, null, 2)}\n`);
  return state;
};
