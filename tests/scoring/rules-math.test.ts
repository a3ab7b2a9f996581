import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { gradeEpisode } from '../../scoring/grade-episode.ts';
import type { MathWorker, MathWorkerOptions } from '../../scoring/rules/math-comparison.ts';
import { episodeOf } from '../support/episodes.ts';
import { testMathWorker } from '../support/math-worker.ts';

let dir = '';
const opened: MathWorker[] = [];
const open = (options: Partial<MathWorkerOptions> = {}): MathWorker => {
  const worker = testMathWorker(options);
  opened.push(worker);
  return worker;
};

/** A program in the worker's place that speaks its protocol, and misbehaves. */
const openProgram = async (name: string, body: string, options: Partial<MathWorkerOptions> = {}) => {
  const program = join(dir, `${name}.py`);
  const start = 'import json, os, sys, time\nprint(\'{"ready": true}\', flush=True)\nfor line in sys.stdin:\n';
  await writeFile(program, `${start}    question = json.loads(line)\n    ${body.replaceAll('\n', '\n    ')}\n`);
  return open({ program, ...options });
};
const reply = `print(json.dumps({"id": question["id"], "equal": True, "reason": "same"}), flush=True)`;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-math-'));
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((worker) => worker.close()));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('the worker for mathematics', { timeout: 120_000 }, () => {
  it('compares formulas, many at a time, each with its own reply', async () => {
    const worker = open();
    const asked = [
      ['x^2-1', '(x-1)(x+1)', 'equal'],
      ['x^2-1', '(x-1)^2', 'different'],
      [String.raw`\frac{1}{3}`, String.raw`\frac{2}{6}`, 'equal'],
      ['', 'x', 'unreadable'],
    ] as const;
    const kinds = await Promise.all(asked.map(async ([one, other]) => (await worker.compare(one, other)).kind));
    expect(kinds).toEqual(asked.map(([, , kind]) => kind));
  });

  it('is started again after it was killed between two questions', async () => {
    const worker = open();
    expect((await worker.compare('x+1', '1+x')).kind).toBe('equal');
    const pid = worker.pid();
    expect(pid).toBeGreaterThan(0);
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
    expect((await worker.compare('x+2', '2+x')).kind).toBe('equal');
    expect(worker.pid()).not.toBe(pid);
  });

  it('asks once more what a process died of, and goes on with the others', async () => {
    const marker = join(dir, 'died-once');
    const body = `if question["answer"] == "once" and not os.path.exists(${JSON.stringify(marker)}):\n    open(${JSON.stringify(marker)}, "w").close()\n    os.abort()\nif question["answer"] == "always":\n    os.abort()\n${reply}`;
    const worker = await openProgram('dies', body);
    const [once, always, fine] = await Promise.all(['once', 'always', 'fine'].map((each) => worker.compare('x', each)));
    expect(once?.kind).toBe('equal');
    expect(always).toMatchObject({ kind: 'failed', reason: expect.stringContaining('SIGABRT') });
    expect(fine?.kind).toBe('equal');
  });

  it('gives up a comparison beyond its deadline and goes on with the next', async () => {
    const body = `if question["answer"] == "long":\n    time.sleep(600)\n${reply}`;
    const worker = await openProgram('hangs', body, { compareMs: 300 });
    const [long, short] = await Promise.all([worker.compare('x', 'long'), worker.compare('x', 'short')]);
    expect(long).toMatchObject({ kind: 'failed', reason: expect.stringContaining('300 ms') });
    expect(short?.kind).toBe('equal');
  });

  it('fails what comes back unreadable, and without its Python', async () => {
    const garbled = await openProgram('garbled', 'print("correct", flush=True)');
    expect(await garbled.compare('x', 'y')).toMatchObject({ kind: 'failed' });
    const missing = open({ python: join(dir, 'no-python') });
    expect(await missing.compare('x', 'y')).toMatchObject({
      kind: 'failed',
      reason: expect.stringContaining('ENOENT'),
    });
  });

  it('sees nothing of the environment', async () => {
    const body =
      'print(json.dumps({"id": question["id"], "equal": False, "reason": os.environ.get("LENSMITH_SECRET", "nothing")}), flush=True)';
    process.env.LENSMITH_SECRET = 'key';
    try {
      const worker = await openProgram('environment', body);
      expect(await worker.compare('x', 'y')).toEqual({ kind: 'different', reason: 'nothing' });
    } finally {
      process.env.LENSMITH_SECRET = undefined;
    }
  });
});

describe('grades of mathematics', { timeout: 120_000 }, () => {
  const task = { answerKind: 'math', reference: 'x^2-1' } as const;

  it('come from the library', async () => {
    const math = open();
    expect((await gradeEpisode(episodeOf([], '(x+1)(x-1)', task), { math })).verdict).toBe('correct');
    expect((await gradeEpisode(episodeOf([], '(x+1)^2', task), { math })).verdict).toBe('wrong');
  });

  it('are an outage where the worker is away, never wrong; a judge decides then', async () => {
    const math = open({ python: join(dir, 'no-python') });
    const episode = episodeOf([], '(x+1)^2', task);
    expect(await gradeEpisode(episode, { math })).toMatchObject({ verdict: 'infra_error', decidedBy: 'none' });
    const judge = async () => ({ verdict: 'wrong' as const, decidedBy: 'judge' as const, reason: 'another sign' });
    expect(await gradeEpisode(episode, { math, judge })).toMatchObject({ verdict: 'wrong', decidedBy: 'judge' });
  });
});

it('an idle worker keeps no process alive and leaves none behind', { timeout: 60_000 }, async () => {
  const worker = new URL('../support/math-worker.ts', import.meta.url).href;
  const script = `import { testMathWorker } from ${JSON.stringify(worker)};
    const worker = testMathWorker();
    const { kind } = await worker.compare('x+1', '1+x');
    console.log(kind, worker.pid());`;
  const { stdout } = await execa(process.execPath, ['--input-type=module-typescript', '--eval', script], {
    timeout: 50_000,
  });
  const [kind, pid] = stdout.split(' ');
  expect(kind).toBe('equal');
  await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 10_000 }).toBe(false);
});
