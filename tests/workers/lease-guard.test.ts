import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { leaseEnvironment } from '../../activities/lease-environment.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { launch } from '../../processes/launch.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import { createLeaseGuard } from '../../workers/lease-guard.ts';
import { testHost } from '../activities/test-host.ts';

const lives = (runId: string): boolean => findProcesses({ runId }).length > 0;

test('programs are ended whose lease two reports in a row do not know, and no others', async () => {
  const host = await testHost();
  const other = await testHost();
  const begin = async (name: string, owner: typeof host): Promise<string> => {
    const runId = `guarded-${process.pid}-${name}`;
    onTestFinished(async () => {
      await stopTree({ runId, graceMs: 0 });
    });
    const lease = { id: name, fence: 1, gpus: [0, 2], ports: null };
    const env = leaseEnvironment(owner, { lease });
    expect(env.CUDA_VISIBLE_DEVICES).toBe('0,2');
    const dir = join(owner.home, 'runs', name);
    await launch({ id: `${runId}/rl/1`, runId, command: ['sleep', '300'], cwd: '/', env, dir });
    return runId;
  };
  const lost = await begin('lost', host);
  const held = await begin('held', host);
  const foreign = await begin('foreign', other);
  const guard = createLeaseGuard(host);
  expect(await guard(['held'])).toEqual([]);
  expect(lives(lost)).toBe(true);
  expect(await guard(['held'])).toEqual(['lost']);
  expect([lost, held, foreign].map(lives)).toEqual([false, true, true]);
  expect(await guard(['held'])).toEqual([]);
});
