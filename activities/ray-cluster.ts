import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { RunRef } from '../domain/stage.ts';
import { stageFolder } from './attempts.ts';
import type { Host } from './host.ts';

/** Stage under which the nodes of a run's own Ray lie. */
export const rayStage = 'ray-cluster';

const tokenFile = (run: Pick<RunRef, 'dir'>): string => join(stageFolder(run, rayStage), 'token');

/** The token that a run's own Ray asks for; null where the run has none yet. */
export const readRayToken = (run: Pick<RunRef, 'dir'>): Promise<string | null> =>
  readFile(tokenFile(run), 'utf8').then(
    (text) => text.trim() || null,
    () => null,
  );

/** The token of a run's own Ray, made where there is none; only the owner of the run's folder can read it. */
export const makeRayToken = async (run: Pick<RunRef, 'dir'>): Promise<string> => {
  const known = await readRayToken(run);
  if (known !== null) return known;
  const token = randomBytes(16).toString('hex');
  await mkdir(stageFolder(run, rayStage), { recursive: true });
  const file = await open(tokenFile(run), 'w', 0o600);
  try {
    await file.writeFile(token);
    await file.sync();
  } finally {
    await file.close();
  }
  return token;
};

/** The host with the Ray that a stage uses: the run's own where it has one. */
export const atRayOf = async (host: Host, run: Pick<RunRef, 'dir' | 'ray'>): Promise<Host> => {
  if (!run.ray) return host;
  const token = await readRayToken(run);
  return { ...host, rayAddress: run.ray.address, rayToken: token ?? undefined };
};
