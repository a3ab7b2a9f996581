import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { Host } from '../../activities/host.ts';
import { checkpointsTable, sizeText } from '../../cli/checkpoints-table.ts';
import type { CheckpointEntry } from '../../domain/checkpoint-state.ts';
import { makeCheckpoint } from '../activities/made-checkpoints.ts';
import { testHost, testRun } from '../activities/test-host.ts';
import { startTemporal } from '../support/local-temporal.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

let temporal: TestWorkflowEnvironment;
beforeAll(async () => {
  temporal = await startTemporal();
});
afterAll(async () => {
  await temporal?.teardown();
});

const checkpoints = (host: Host, args: string[], address = temporal.address) =>
  execa(process.execPath, [main, 'checkpoints', ...args], {
    reject: false,
    timeout: 60_000,
    stdin: 'ignore',
    env: { LENSMITH_HOME: host.home, TEMPORAL_ADDRESS: address },
  });

/** A run with a whole and a torn checkpoint of RL. */
const begin = async () => {
  const host = await testHost();
  const run = await testRun(host);
  const folder = join(run.dir, 'checkpoints');
  await mkdir(join(run.dir, 'stages', 'rl', 'attempt-1'), { recursive: true });
  await makeCheckpoint(folder, 2);
  await makeCheckpoint(folder, 4);
  await rm(join(folder, 'checkpoint-4', 'manifest.json'));
  return { host, run, folder };
};

test('the checkpoints of a run are listed, also as JSON', async () => {
  const { host, run } = await begin();
  const table = await checkpoints(host, [run.run]);
  expect(table.stdout).toMatch(/rl +│ 2 +│ \d+(\.\d)? B +│ complete/);
  expect(table.stdout).toMatch(/rl +│ 4 +│ \d+ B +│ torn/);
  const json = await checkpoints(host, ['--json', '--verify']);
  expect(JSON.parse(json.stdout)).toMatchObject({
    checkpoints: [
      { run: run.run, stage: 'rl', step: 2, state: 'complete', verified: true },
      { step: 4, state: 'torn', reason: expect.stringContaining('manifest.json') },
    ],
    deleted: [],
  });
});

test('a run that does not exist is named', async () => {
  const { host } = await begin();
  expect(await checkpoints(host, ['nobody'])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('runs/nobody'),
  });
});

test('where nobody can be asked, nothing is deleted without --yes', async () => {
  const { host, run, folder } = await begin();
  const asked = await checkpoints(host, [run.run, '--clean']);
  expect(asked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') });
  expect(await readdir(folder)).toContain('checkpoint-4');
  const told = await checkpoints(host, [run.run, '--clean', '--yes']);
  expect(told).toMatchObject({ exitCode: 0, stdout: expect.stringContaining('1 folders were deleted') });
  expect(await readdir(folder)).toEqual(['checkpoint-2']);
});

test('a run that is under way is not cleaned, and without Temporal none is', async () => {
  const { host, run, folder } = await begin();
  expect(await checkpoints(host, [run.run, '--clean', '--yes'], '127.0.0.1:1')).toMatchObject({
    exitCode: 1,
    stderr: expect.stringContaining('no Temporal server answers'),
  });
  const handle = await temporal.client.workflow.start('train-pipeline', {
    taskQueue: 'nobody',
    workflowId: run.workflowId,
  });
  onTestFinished(async () => {
    await handle.terminate().catch(() => undefined);
  });
  const refused = await checkpoints(host, [run.run, '--clean', '--yes']);
  expect(refused).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is under way') });
  expect(await readdir(folder)).toContain('checkpoint-4');
});

test('the table tells the best, the promoted and the evaluations', () => {
  const entry: CheckpointEntry = {
    run: 'digits',
    stage: 'rl',
    step: 40,
    path: '/runs/digits/checkpoints/checkpoint-40',
    bytes: 84 * 2 ** 30,
    state: 'complete',
    reason: '',
    best: true,
    promoted: true,
    verified: false,
    evaluation: { kind: 'evaluated', accuracy: 0.8125, toolCallsPerEpisode: 1.5 },
  };
  const table = checkpointsTable([
    entry,
    { ...entry, step: 60, best: false, promoted: false, evaluation: { kind: 'given-up', type: 'undecided' } },
  ]);
  expect(table).toMatch(/40 +│ 84\.0 GiB +│ complete, best, promoted +│ 81\.3 %, 1\.50 calls/);
  expect(table).toMatch(/60 +│ 84\.0 GiB +│ complete +│ given up: undecided/);
  expect(table).toContain('168.0 GiB in 2 folders');
  expect(checkpointsTable([])).toBe('no checkpoints');
});

test('sizes are told in the unit that fits', () => {
  expect([0, 1, 1023, 1024, 1536 * 2 ** 20].map(sizeText)).toEqual(['0 B', '1 B', '1023 B', '1.0 KiB', '1.5 GiB']);
});
