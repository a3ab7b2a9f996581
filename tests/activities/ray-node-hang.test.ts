import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { forgetLeases, holdLeases, uptimeSeconds } from '../../activities/lease-fence.ts';
import { watchLock } from '../../activities/lease-watch.ts';
import { launchRayNode, stopRayNode, superviseRayNode } from '../../activities/ray-node.ts';
import type { RunRef } from '../../domain/stage.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { isPortFree } from '../../processes/free-port.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import { inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

const count = 40;

/** Ports in a row that are free now, below those that the system gives to clients. */
const freeBlock = async (): Promise<[number, number]> => {
  for (let first = 25_000 + count * (process.pid % 100); ; first += count) {
    const ports = Array.from({ length: count }, (_, index) => first + index);
    if ((await Promise.all(ports.map(isPortFree))).every(Boolean)) return [first, count];
  }
};

const leased = async (): Promise<{ host: Awaited<ReturnType<typeof testHost>>; run: RunRef }> => {
  const host = await testHost();
  const run = await testRun(host);
  await holdLeases(host, uptimeSeconds(), 900);
  onTestFinished(async () => {
    await stopTree({ processId: watchLock(host), graceMs: 0 });
    await forgetLeases(host, 0);
  });
  const lease = { id: `${run.workflowId}/trainer-1`, fence: 1, gpus: [], cpus: 2, ports: await freeBlock() };
  return { host, run: { ...run, lease } };
};

test('a head of Ray that lives and answers nobody is looked at and stopped', { timeout: 240_000 }, async () => {
  const { host, run } = await leased();
  onTestFinished(() => inActivity(() => stopRayNode(host)(run)));
  await inActivity(() => launchRayNode(host)(run, null));
  const store = findProcesses({ runId: run.run }).filter(({ command }) => command.includes('gcs_server'));
  expect(store).toHaveLength(1);
  for (const { pid } of store) process.kill(pid, 'SIGSTOP');
  const watch = inActivity(() => superviseRayNode(host, { everyMs: 100, misses: 2 })(run, null));
  expect(await watch).toBe('it lived, and did not answer 2 times in a row');
  expect(findProcesses({ runId: run.run })).toEqual([]);
  const attempt = join(run.dir, 'stages', 'ray-cluster', 'test-1', 'attempt-1');
  expect(await readdir(join(attempt, 'diagnostics'))).toContain('collected.json');
});
