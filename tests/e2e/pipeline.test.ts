import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { artifactManifestSchema } from '../../domain/artifact.ts';
import { rlMetricsSchema } from '../../domain/progress.ts';
import { type Summary, summarySchema } from '../../domain/summary.ts';
import { readStackState } from '../../infra/local/stack-state.ts';
import { stackUp } from '../../infra/local/stack-up.ts';
import { findByEnvironment } from '../../processes/find-processes.ts';
import { freePorts } from '../../processes/free-port.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const spec = join(checkout, 'examples', 'smoke.yaml');
const limitMs = 10 * 60_000;

let home: string;

const lensmith = (...args: string[]) =>
  execa(join(checkout, 'cli', 'lensmith'), args, { env: { LENSMITH_HOME: home }, timeout: limitMs, reject: false });

const summaryOf = async (run: string): Promise<Summary> =>
  summarySchema.parse(JSON.parse(await readFile(join(home, 'runs', run, 'report', 'summary.json'), 'utf8')));

const attemptsOf = async (run: string, stage: string): Promise<string[]> => {
  const names = await readdir(join(home, 'runs', run, 'stages', stage)).catch(() => []);
  return names.filter((name) => name.startsWith('attempt-')).sort();
};

/** Processes of the test's stack and of its runs. */
const livingProcesses = () => findByEnvironment({ LENSMITH_HOME: home });

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'lensmith-e2e-'));
  const [temporal, temporalUi, ray, rayDashboard, rayClient, rayAgent, toolServer] = await freePorts(7);
  if (!temporal || !temporalUi || !ray || !rayDashboard || !rayClient || !rayAgent || !toolServer)
    throw new Error('expected seven free ports');
  await stackUp({ home, ports: { temporal, temporalUi, ray, rayDashboard, rayClient, rayAgent, toolServer } });
}, 180_000);

afterAll(async () => {
  await lensmith('down');
  await rm(home, { recursive: true, force: true });
}, 120_000);

// Each test goes on from the one before: a second try would meet what the first has left.
describe('the whole pipeline at smoke size', { retry: 0 }, () => {
  it('shows a plan without starting anything', async () => {
    const { stdout, exitCode } = await lensmith('train', spec, '--dry-run', '--set', 'run=first');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('base-model: run');
    expect(stdout).toContain('-m lensmith_trainers.rl --config');
    await expect(readdir(join(home, 'runs'))).resolves.toEqual([]);
  });

  it(
    'takes digits through every stage to a report',
    async () => {
      const { stdout, stderr, exitCode } = await lensmith('train', spec, '--follow', '--set', 'run=first');
      expect(stderr).toBe('');
      expect(exitCode).toBe(0);
      expect(stdout).toContain('report: completed');

      const summary = await summaryOf('first');
      expect(summary.isolation).toBe('namespaces');
      expect(summary.judge.decided).toBe(0);
      expect(Object.fromEntries(summary.stages.map(({ name, state }) => [name, state]))).toMatchObject({
        'prepare-data': 'completed',
        'base-model': 'completed',
        sft: 'completed',
        rl: 'completed',
        'evaluate-checkpoints': 'completed',
        'benchmark-suite': 'completed',
      });
      const all = summary.evaluations.filter(({ family, dataset }) => family === 'all' && dataset === 'test');
      expect(all.map(({ model, samples }) => [model, samples])).toEqual([
        ['base', 48],
        ['sft', 48],
        ['rl', 48],
      ]);
      const validated = summary.evaluations.filter(
        ({ family, dataset }) => family === 'all' && dataset === 'validation',
      );
      expect(validated.map(({ checkpoint }) => checkpoint)).toEqual(['checkpoint-3', 'checkpoint-6']);

      const dir = join(home, 'runs', 'first');
      const lines = (await readFile(join(dir, 'stages', 'rl', 'metrics.jsonl'), 'utf8')).trim().split('\n');
      expect(lines.map((line) => rlMetricsSchema.parse(JSON.parse(line)).step)).toEqual([1, 2, 3, 4, 5, 6]);
      for (const folder of ['data', 'base-model/model', 'sft/model', 'checkpoints/model', 'checkpoints/checkpoint-6'])
        artifactManifestSchema.parse(JSON.parse(await readFile(join(dir, folder, 'manifest.json'), 'utf8')));
      const page = await readFile(join(dir, 'report', 'index.html'), 'utf8');
      expect(page).toContain('<title>first</title>');
      expect(page).toContain('Rules decided every one of');
      expect(page).not.toMatch(/(?:src|href)="http/);
    },
    limitMs,
  );

  it(
    'takes every finished stage from the cache in a second run',
    async () => {
      const { exitCode } = await lensmith('train', spec, '--follow', '--set', 'run=second');
      expect(exitCode).toBe(0);
      const summary = await summaryOf('second');
      const states = Object.fromEntries(summary.stages.map(({ name, state }) => [name, state]));
      for (const stage of ['prepare-data', 'base-model', 'sft', 'rl', 'evaluate-checkpoints', 'benchmark-suite'])
        expect([stage, states[stage]]).toEqual([stage, 'cached']);
      for (const stage of ['prepare-data', 'base-model', 'sft', 'rl'])
        expect(await attemptsOf('second', stage)).toEqual([]);
    },
    limitMs,
  );

  it('refuses the folder of another run and names the ways out', async () => {
    const { stderr, exitCode } = await lensmith('train', spec, '--follow', '--set', 'run=first');
    expect(exitCode).toBe(2);
    expect(stderr).toContain('lensmith resume first');
  });

  it(
    'starts by the command line of Temporal alone, and evaluates what was promoted by night',
    async () => {
      const state = await readStackState(home);
      const temporal = (...args: string[]) =>
        execa(join(checkout, '.venv', 'bin', 'temporal'), args, { env: state?.environment ?? {}, timeout: limitMs });
      const { stdout } = await lensmith('train', spec, '--dry-run', '--set', 'run=third');
      const file = /resolved spec: (.*)/.exec(stdout)?.[1] ?? '';
      const start = ['workflow', 'execute', '--type', 'train-pipeline', '--task-queue', 'lensmith'];
      await temporal(...start, '--workflow-id', 'by-hand', '--input-file', file);
      expect((await summaryOf('third')).promoted?.decision).toBe('forced');

      await lensmith('nightly', 'enable', 'smoke');
      const nightly = ['workflow', 'execute', '--type', 'nightly-evaluation', '--task-queue', 'lensmith'];
      const night = await temporal(...nightly, '--input', JSON.stringify({ name: 'smoke', host: 'local' }));
      expect(night.stdout).toContain('regression');
      expect((await lensmith('nightly', 'list')).stdout).toContain('smoke: enabled');
      expect((await lensmith('nightly', 'disable', 'smoke')).exitCode).toBe(0);
      expect((await lensmith('nightly', 'list')).stdout).toContain('smoke: disabled');
    },
    limitMs,
  );

  it(
    'ends as if nothing had happened where a worker, the RL driver and the Temporal server are killed during RL',
    async () => {
      const metrics = join(home, 'runs', 'killed', 'stages', 'rl', 'metrics.jsonl');
      const steps = async (): Promise<number> =>
        (await readFile(metrics, 'utf8').catch(() => '')).split('\n').filter(Boolean).length;
      const reach = (step: number) =>
        expect.poll(steps, { timeout: limitMs, interval: 100 }).toBeGreaterThanOrEqual(step);
      const kill = (program: string): void => {
        const found = livingProcesses().filter(({ command }) => command.includes(program));
        expect(found).not.toHaveLength(0);
        for (const { pid } of found) process.kill(pid, 'SIGKILL');
      };
      const changes = ['run=killed', 'seed=1', 'rl.steps=24'].flatMap((change) => ['--set', change]);
      const run = lensmith('train', spec, '--follow', ...changes);

      await reach(4);
      kill('workers/host.ts');
      await reach(8);
      const reached = await steps();
      kill('lensmith_trainers.rl');
      await reach(reached + 3);
      kill('start-dev');
      const { exitCode, stdout } = await run;

      expect([exitCode, stdout.includes('report: completed')]).toEqual([0, true]);
      expect(await steps()).toBe(24);
      const stage = join(home, 'runs', 'killed', 'stages', 'rl');
      // The killed worker cost nothing: only the killed driver made a second attempt.
      expect(await attemptsOf('killed', 'rl')).toEqual(['attempt-1', 'attempt-2']);
      const { resumeFrom } = JSON.parse(await readFile(join(stage, 'attempt-2', 'config.json'), 'utf8'));
      const resumedStep = Number(/checkpoint-(\d+)$/.exec(resumeFrom)?.[1]);
      // The driver may have been within its next step when it was killed.
      expect(reached + 1 - resumedStep).toBeLessThanOrEqual(3 + 1);
    },
    limitMs,
  );

  it('leaves nothing running after down', async () => {
    expect(livingProcesses().length).toBeGreaterThan(0);
    const { exitCode } = await lensmith('down');
    expect(exitCode).toBe(0);
    expect(livingProcesses()).toEqual([]);
  }, 120_000);
});
