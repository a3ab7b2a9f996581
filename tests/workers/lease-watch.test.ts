import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Host } from '../../activities/host.ts';
import { leaseEnvironment } from '../../activities/lease-environment.ts';
import {
  assertHoldsLease,
  forgetLeases,
  holdLeases,
  holdsLeases,
  uptimeSeconds,
} from '../../activities/lease-fence.ts';
import { beginUnderLease, ensureLeaseWatch, watchLock } from '../../activities/lease-watch.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { launch } from '../../processes/launch.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import { isLocked } from '../../processes/with-lock.ts';
import { testHost } from '../activities/test-host.ts';

const lease = { id: 'train/x/trainer-1', fence: 7, gpus: [], ports: null };

const ownHost = async (): Promise<Host> => {
  const host = await testHost();
  onTestFinished(() => forgetLeases(host, 0));
  return host;
};

const program = async (host: Host, name: string, leased: boolean): Promise<string> => {
  const runId = `watched-${process.pid}-${name}`;
  onTestFinished(async () => {
    await stopTree({ runId, graceMs: 0 });
  });
  const env = leased ? leaseEnvironment(host, { lease }) : {};
  // It takes no notice of SIGTERM.
  const command = ['python3', '-c', 'import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(300)'];
  await launch({ id: `${runId}/rl/1`, runId, command, cwd: '/', env, dir: join(host.home, 'runs', name) });
  return runId;
};

const lives = (runId: string): boolean => findProcesses({ runId }).length > 0;

test('programs end before their lease can be another host, though no worker is there to end them', async () => {
  const host = await ownHost();
  await holdLeases(host, uptimeSeconds(), 600);
  const leased = await program(host, 'leased', true);
  const free = await program(host, 'free', false);
  await ensureLeaseWatch(host);
  await expect.poll(() => isLocked(watchLock(host)), { timeout: 30_000 }).toBe(true);
  expect(lives(leased)).toBe(true);
  // The pool has answered once more: the time counts from there.
  await holdLeases(host, uptimeSeconds(), 4);
  await expect.poll(() => lives(leased), { timeout: 30_000 }).toBe(false);
  expect(lives(free)).toBe(true);
  // With nothing left to watch it ends.
  await expect.poll(() => isLocked(watchLock(host)), { timeout: 60_000 }).toBe(false);
}, 120_000);

test('nothing begins under a lease of which the pool has not been heard in time', async () => {
  const host = await ownHost();
  expect(await holdsLeases(host)).toBe(false);
  await expect(beginUnderLease(host, { lease })).rejects.toMatchObject({ type: 'infrastructure' });
  await expect(assertHoldsLease(host, {})).resolves.toBeUndefined();
  const reportedAt = uptimeSeconds();
  await holdLeases(host, reportedAt, 40);
  await expect(assertHoldsLease(host, { lease })).resolves.toBeUndefined();
  // Of 40 seconds the last ten belong to the end of the programs.
  await holdLeases(host, reportedAt - 31, 40);
  expect(await holdsLeases(host)).toBe(false);
});
