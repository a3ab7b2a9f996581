import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import sharp from 'sharp';
import { expect } from 'vitest';
import { type ExecutionResult, executionResultSchema } from '../../../domain/sandbox.ts';
import { waitFor } from '../../processes/wait-for.ts';
import { descendantsOf, descriptorsOf, folderState, kernelSettings } from './host-state.ts';
import type { World } from './world.ts';

const population = async (world: World) => ({
  processes: (await descendantsOf(world.forkServerPid)).length,
  serverDescriptors: await descriptorsOf(world.forkServerPid),
});

const lookAt = async (world: World) => ({
  files: await folderState(world.folder),
  sandboxFolder: await folderState(world.sandboxFolder),
  settings: await kernelSettings(),
  file: await readFile(world.file, 'utf8'),
});

/** The host before any probe: what has to be the same after each. */
export interface Baseline {
  readonly host: Awaited<ReturnType<typeof lookAt>>;
  readonly population: Awaited<ReturnType<typeof population>>;
  readonly descriptors: number;
}

/** Looks at the host once the sandbox has come to rest, which may keep sessions ahead. */
export const takeBaseline = async (world: World): Promise<Baseline> => {
  await (await world.sandbox.createSession({})).close();
  let last = '';
  let since = Date.now();
  const rested = await waitFor('the sandbox to come to rest', async () => {
    const now = await population(world);
    const text = JSON.stringify(now);
    if (text !== last) since = Date.now();
    last = text;
    return Date.now() - since > 400 ? now : undefined;
  });
  return { host: await lookAt(world), population: rested, descriptors: (await descriptorsOf('self')) ?? 0 };
};

/** A result has the form of one, tells no secret, and its images are what they say. */
export const expectSoundResult = async (world: World, result: ExecutionResult): Promise<void> => {
  executionResultSchema.parse(result);
  expect(result.error === null).toBe(result.outcome === 'ok' || result.outcome === 'no_output');
  const texts = JSON.stringify([result.stdout, result.stderr, result.error]);
  for (const secret of Object.values(world.secrets)) expect(texts).not.toContain(secret);
  for (const image of result.images) {
    const content = Buffer.from(image.data, 'base64');
    const { format, width, height } = await sharp(content).metadata();
    const digest = createHash('sha256').update(content).digest('hex');
    expect({ format, width, height, digest }).toEqual({
      format: 'png',
      width: image.width,
      height: image.height,
      digest: image.digest,
    });
    expect(Math.max(image.width, image.height)).toBeLessThanOrEqual(8192);
  }
};

const stateOf = async (pid: number) => {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return [/^State:\s+(\w)/m.exec(status)?.[1], /^TracerPid:\s+(\d+)/m.exec(status)?.[1]];
};

/** Nothing outside the session has changed. */
export const expectContained = async (world: World, baseline: Baseline): Promise<void> => {
  expect(world.visitors).toEqual([]);
  expect(await lookAt(world)).toEqual(baseline.host);
  expect(await stateOf(world.canaryPid)).toEqual(['S', '0']);
  const own = await world.neighbour.execute({ code: 'print(secret == open("secret.txt").read(), visited(), secret)' });
  expect(own.stdout, own.error?.traceback).toBe(`True False ${world.secrets.neighbour}\n`);
};

/** After the session's end: no process and no descriptor of it is left. */
export const expectNothingLeft = async (world: World, baseline: Baseline): Promise<void> => {
  let seen: unknown;
  await waitFor(`the processes and descriptors of ${JSON.stringify(baseline.population)}`, async () => {
    const now = await population(world);
    seen = now;
    return JSON.stringify(now) === JSON.stringify(baseline.population) ? now : undefined;
  }).catch((cause: unknown) => {
    throw new Error(`expected ${JSON.stringify(baseline.population)}, got ${JSON.stringify(seen)}`, { cause });
  });
  for (let round = 0; ((await descriptorsOf('self')) ?? 0) > baseline.descriptors && round < 100; round += 1) {
    await delay(50);
  }
  expect((await descriptorsOf('self')) ?? 0).toBeLessThanOrEqual(baseline.descriptors);
};
