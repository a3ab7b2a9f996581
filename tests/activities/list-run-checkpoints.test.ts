import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { addCheckpointEvent } from '../../activities/checkpoint-events.ts';
import { cleanCheckpoints } from '../../activities/clean-checkpoints.ts';
import type { Host } from '../../activities/host.ts';
import { listRunCheckpoints } from '../../activities/list-run-checkpoints.ts';
import { runFilePath } from '../../activities/read-run.ts';
import type { RunRef } from '../../domain/stage.ts';
import { launch } from '../../processes/launch.ts';
import { makeCheckpoint } from './made-checkpoints.ts';
import { testHost, testRun } from './test-host.ts';

const rl = (run: RunRef): string => join(run.dir, 'checkpoints');

const list = (host: Host, run: RunRef, verify = false) => listRunCheckpoints(host, run, { verify });

const states = async (host: Host, run: RunRef, verify = false) =>
  (await list(host, run, verify)).map(({ stage, path, state }) => [stage, path.slice(run.dir.length + 1), state]);

/** A run whose RL has left whole and torn checkpoints, and what two crashes leave. */
const messyRun = async () => {
  const host = await testHost();
  const run = await testRun(host);
  await mkdir(join(run.dir, 'stages', 'rl', 'attempt-1'), { recursive: true });
  const [first, second] = [await makeCheckpoint(rl(run), 2), await makeCheckpoint(rl(run), 10)];
  await makeCheckpoint(rl(run), 30);
  await rm(join(rl(run), 'checkpoint-30', 'part-0'));
  await mkdir(join(rl(run), '.checkpoint-40.partial'));
  await writeFile(join(rl(run), '.checkpoint-40.partial', 'weights'), Buffer.alloc(2048));
  await mkdir(join(rl(run), '.checkpoint-1.0a1b2c3d.tomb'));
  for (const name of ['.checkpoint-41.7.partial', '.saving', '.saving.7']) await mkdir(join(rl(run), name));
  await mkdir(join(rl(run), 'model'));
  const settled = { accuracy: 0.75, toolCallsPerEpisode: 0.5, evaluation: '/e', at: 1 };
  await addCheckpointEvent(rl(run), { kind: 'evaluated', step: 2, digest: first.digest, ...settled });
  const givenUp = { type: 'undecided', message: 'no verdicts', at: 1 } as const;
  await addCheckpointEvent(rl(run), { kind: 'given-up', step: 10, digest: second.digest, ...givenUp });
  return { host, run };
};

const leftovers = [
  ...['.checkpoint-1.0a1b2c3d.tomb', '.checkpoint-40.partial', '.checkpoint-41.7.partial'],
  ...['.saving', '.saving.7'],
];

test('each folder has its state, its size and what its evaluation said', async () => {
  const { host, run } = await messyRun();
  expect(await states(host, run)).toEqual([
    ['rl', 'checkpoints/checkpoint-2', 'complete'],
    ['rl', 'checkpoints/checkpoint-10', 'complete'],
    ['rl', 'checkpoints/checkpoint-30', 'torn'],
    ...leftovers.map((name) => ['rl', `checkpoints/${name}`, 'leaking']),
  ]);
  const [best, other, torn, , partial] = await list(host, run);
  expect(best).toMatchObject({
    step: 2,
    best: true,
    promoted: false,
    verified: false,
    evaluation: { kind: 'evaluated', accuracy: 0.75, toolCallsPerEpisode: 0.5 },
  });
  expect(other).toMatchObject({ best: false, evaluation: { kind: 'given-up', type: 'undecided' } });
  expect(torn?.reason).toContain('part-0 is missing');
  expect(partial).toMatchObject({
    step: 40,
    bytes: 2048,
    reason: expect.stringContaining('no program of the run lives'),
  });
});

test('a promoted checkpoint is told', async () => {
  const { host, run } = await messyRun();
  const [first] = await list(host, run);
  await writeFile(
    join(run.dir, 'promotion.json'),
    JSON.stringify({
      run: run.run,
      dir: run.dir,
      at: '2030-01-01T00:00:00Z',
      decision: 'promoted',
      why: 'better',
      checkpoint: { kind: 'checkpoint', path: first?.path, digest: 'd', details: {}, step: 2 },
      data: { kind: 'dataset', path: '/data', digest: 'd', details: {} },
      accuracy: 0.5,
    }),
  );
  expect((await list(host, run)).filter(({ promoted }) => promoted).map(({ step }) => step)).toEqual([2]);
});

test('changed bytes of the same size are found where every byte is compared', async () => {
  const { host, run } = await messyRun();
  await writeFile(join(rl(run), 'checkpoint-10', 'part-0'), 'PART 0 OF THE STATE AFTER 10 STEPS');
  expect((await states(host, run))[1]).toEqual(['rl', 'checkpoints/checkpoint-10', 'complete']);
  expect((await states(host, run, true))[1]).toEqual(['rl', 'checkpoints/checkpoint-10', 'torn']);
  expect((await list(host, run, true))[0]).toMatchObject({ verified: true });
});

test('what no attempt of the run can have written is leaking', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await makeCheckpoint(join(run.dir, 'sft'), 5);
  expect(await list(host, run)).toMatchObject([{ state: 'leaking', reason: 'the run has no attempt of sft' }]);
  await rm(runFilePath(run.dir));
  expect(await list(host, run)).toMatchObject([{ state: 'leaking', reason: expect.stringContaining('no run.json') }]);
});

test('a temporary name is being written while a program of the run lives, and nothing is cleaned', async () => {
  const { host, run } = await messyRun();
  const dir = join(run.dir, 'program');
  await launch({ id: `${run.run}/rl/1`, runId: run.run, command: ['sleep', '60'], cwd: '/', env: {}, dir });
  const entries = await list(host, run);
  expect(entries.slice(3).map(({ state }) => state)).toEqual(leftovers.map(() => 'writing'));
  await expect(cleanCheckpoints(entries)).rejects.toMatchObject({
    type: 'config',
    message: expect.stringMatching(/a program of the run .* lives/),
  });
  expect(await readdir(rl(run))).toContain('checkpoint-30');
});

test('cleaning deletes what is torn or leaking and nothing else', async () => {
  const { host, run } = await messyRun();
  const deleted = await cleanCheckpoints(await list(host, run));
  expect(deleted).toHaveLength(1 + leftovers.length);
  expect((await readdir(rl(run))).sort()).toEqual([
    'checkpoint-10',
    'checkpoint-2',
    'checkpoint-ledger.jsonl',
    'model',
  ]);
  expect(await cleanCheckpoints(await list(host, run))).toEqual([]);
});

test('folders of what was made anew are listed with the first', async () => {
  const host = await testHost();
  const run = await testRun(host);
  await mkdir(join(run.dir, 'stages', 'rl', 'attempt-1'), { recursive: true });
  for (const name of ['checkpoints', 'checkpoints-2', 'checkpoints-10', 'checkpoints-old'])
    await makeCheckpoint(join(run.dir, name), 4);
  expect((await states(host, run)).map(([, path]) => path)).toEqual([
    'checkpoints/checkpoint-4',
    'checkpoints-2/checkpoint-4',
    'checkpoints-10/checkpoint-4',
  ]);
});
