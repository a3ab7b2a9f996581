import { fileURLToPath } from 'node:url';
import { ApplicationFailure } from '@temporalio/common';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { ListedRun } from '../../cli/list-runs.ts';
import { runsTable } from '../../cli/runs-table.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { pipelineEnvironment } from '../workflows/pipeline-environment.ts';
import { scriptedHost } from '../workflows/scripted-host.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const { temporal, withHost, start } = pipelineEnvironment();

const listed: ListedRun = {
  run: 'digits',
  kind: 'train',
  state: 'running',
  stage: 'rl',
  startedAt: Date.UTC(2030, 0, 2, 3, 4, 5),
  endedAt: null,
  outcome: null,
  workflowId: 'train/digits',
};

const rowOf = (table: string, name: string): string[] =>
  (table.split('\n').find((line) => line.includes(name)) ?? '').split('│').map((cell) => cell.trim());

const lensmithRuns = (...args: string[]) =>
  execa(process.execPath, [main, 'runs', ...args], {
    reject: false,
    timeout: 60_000,
    env: { TEMPORAL_ADDRESS: temporal().address },
  });

test('a row says where a run is and since when, or how it ended', () => {
  const now = listed.startedAt + 3_720_000;
  const failed: ListedRun = {
    ...listed,
    run: 'broken',
    state: 'failed',
    stage: null,
    endedAt: listed.startedAt + 5000,
    outcome: 'data: the file is truncated',
  };
  const table = runsTable([listed, failed], now);
  expect(rowOf(table, 'digits').slice(1, -1)).toEqual([
    'digits',
    'train',
    'running: rl',
    '2030-01-02 03:04',
    '1 h 2 min',
    '–',
  ]);
  expect(rowOf(table, 'broken').slice(3, -1)).toEqual([
    'failed',
    '2030-01-02 03:04',
    '5 s',
    'data: the file is truncated',
  ]);
  expect(runsTable([], now)).toBe('Temporal knows no run');
});

test('runs are listed with how they ended, and those that go on also by themselves', async () => {
  const fail = async (): Promise<never> => {
    throw ApplicationFailure.nonRetryable('train.parquet: the file is truncated', 'data');
  };
  await withHost('good', scriptedHost().activities, async () => {
    await (await start('good', miniatureSpec({ run: 'good', host: 'good' }))).result();
  });
  await withHost('bad', scriptedHost({ prepareData: fail }).activities, async () => {
    const bad = await start('bad', miniatureSpec({ run: 'bad', host: 'bad' }));
    await expect(bad.result()).rejects.toThrow();
  });
  // Nobody works for its host.
  const waiting = await start('waiting', miniatureSpec({ run: 'waiting', host: 'waiting' }));
  const read = async (...args: string[]): Promise<ListedRun[]> =>
    JSON.parse((await lensmithRuns('--json', ...args)).stdout) as ListedRun[];
  // The list of workflows follows what happens a moment later.
  await expect
    .poll(async () => (await read()).map(({ run, state }) => `${run} ${state}`), { timeout: 50_000 })
    .toEqual(['waiting running', 'bad failed', 'good completed']);
  const [, bad, good] = await read();
  expect(bad).toMatchObject({ outcome: 'data: train.parquet: the file is truncated', stage: null, kind: 'train' });
  expect(good).toMatchObject({ outcome: 'promoted', workflowId: 'train/good' });
  expect(await read('--active')).toMatchObject([{ run: 'waiting', endedAt: null }]);
  expect(await read('--limit', '1')).toHaveLength(1);
  await waiting.terminate();
}, 120_000);

test('what is wrong with a refused spec, and a failure without a class, are said in the list', async () => {
  const refused = await start('refused', { ...miniatureSpec(), rl: undefined });
  await refused.result().catch(() => undefined);
  const lost = async (): Promise<never> => {
    throw ApplicationFailure.nonRetryable('the cable was pulled');
  };
  await withHost('lost', scriptedHost({ openRun: lost }).activities, async () => {
    await (await start('lost', miniatureSpec({ run: 'lost', host: 'lost' }))).result().catch(() => undefined);
  });
  const outcomes = async (): Promise<Record<string, string | null>> => {
    const runs = JSON.parse((await lensmithRuns('--json')).stdout) as ListedRun[];
    return Object.fromEntries(runs.map(({ workflowId, outcome }) => [workflowId, outcome]));
  };
  await expect.poll(outcomes, { timeout: 20_000 }).toMatchObject({
    'train/refused': 'config: the run spec is not valid: rl: expected object; got nothing',
    'train/lost': 'infrastructure: the cable was pulled',
  });
}, 60_000);

test('a limit that is no number is refused', async () => {
  const { exitCode, stderr } = await lensmithRuns('--limit', 'many');
  expect(exitCode).not.toBe(0);
  expect(stderr).toContain('expected a whole number from 1 to 1000');
});
