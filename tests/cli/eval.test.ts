import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { codeTurn } from '../episodes/play.ts';
import { answerStatus, type ReceivedRequest, type Step, startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, writeDigitSet } from '../evaluation/digit-set.ts';

let dir: string;
const servers: { close(): Promise<void> }[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-eval-'));
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  await rm(dir, { recursive: true, force: true });
});

const serve = async (next: (index: number, request: ReceivedRequest) => Step | Promise<Step>) => {
  const server = await startScriptedServer((request) => next(askedIndex(request), request));
  servers.push(server);
  return server;
};

const program = join(import.meta.dirname, '../../cli/main.ts');

/** Runs the command; `onStart` gets what a Ctrl-C in its terminal does, which reaches all its processes. */
const lensmith = async (
  args: readonly string[],
  onStart: (interrupt: () => void) => void = () => undefined,
  judge = '',
) => {
  const env = { ...process.env, LENSMITH_HOME: join(dir, 'home'), LLM_AS_A_JUDGE_BASE: judge };
  const child = spawn(process.execPath, [program, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  onStart(() => {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGINT');
  });
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { stdout, stderr, code };
};

const json = async (file: string) => JSON.parse(await readFile(join(dir, 'save', 'peer', file), 'utf8'));
const lines = async (file: string) =>
  (await readFile(join(dir, 'save', 'peer', file), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));

/** Even samples look at the image first; 3 is answered wrongly. */
const turn = (index: number, { messages }: ReceivedRequest): string => {
  if (index % 2 === 0 && messages.every(({ role }) => role !== 'assistant')) return codeTurn('print(input_image.size)');
  return `<answer>${index === 3 ? 99 : index}</answer>`;
};

/** Keys that CodeDance's eval.py writes of each sample. */
const sampleKeys = [
  ...['question', 'ground_truth', 'pred_ans', 'input', 'output', 'multi_modal_data', 'status', 'index', 'acc'],
  ...['judge_score', 'judge_result', 'try_count', 'tool_call_count', 'tool_success_count', 'tool_success_rate'],
];
const statsKeys = [
  ...['total_samples', 'success_samples', 'success_rate', 'avg_acc', 'avg_judge_score', 'avg_try_count'],
  ...['avg_reasoning_turns', 'tool_call_sample_count', 'avg_code_exec_success_rate', 'model_name', 'data_source'],
];

test('takes the flags of eval.py as it writes them, and writes every sample with its keys and ours', async () => {
  const server = await serve(turn);
  const data = await writeDigitSet(dir, 6);
  const save = join(dir, 'save');
  const flags = ['--api_url', `${server.url},${server.url}`, '--api_key', 'EMPTY', '--data_path', data];
  const named = ['--save_path', save, '--model_name', 'peer', '--eval_model_name', 'scripted', '--num_workers', '3'];
  const { stdout, code } = await lensmith(['eval', ...flags, ...named, '--data_source', 'own', '--embed-images']);
  expect(code).toBe(0);
  expect(stdout).toContain('accuracy   83.3 %');
  const samples = await lines('result_peer_test.jsonl');
  expect(samples.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5]);
  for (const sample of samples) expect(Object.keys(sample)).toEqual(expect.arrayContaining(sampleKeys));
  expect(samples[0]).toMatchObject({
    ...{ ground_truth: '0', pred_ans: '<answer>0</answer>', status: 'success', acc: 1, try_count: 2 },
    ...{ tool_call_count: 1, tool_success_count: 1, tool_success_rate: 1, sample_id: 'test-0', ending: 'answered' },
  });
  expect(samples[0].output).toContain('(28, 28)');
  expect(Buffer.from(samples[0].multi_modal_data.image[0], 'base64').subarray(1, 4).toString()).toBe('PNG');
  expect(samples[3]).toMatchObject({ acc: 0, verdict: 'wrong', tool_success_rate: null });
  const stats = await json('stats_peer_test.json');
  expect(Object.keys(stats)).toEqual(expect.arrayContaining(statsKeys));
  expect(stats).toMatchObject({
    ...{ total_samples: 6, success_samples: 6, success_rate: 1, avg_try_count: 1.5, tool_call_sample_count: 3 },
    ...{ avg_code_exec_success_rate: 1, model_name: 'peer', data_source: 'own', decided: true, undecided: 0 },
    by_try_count: { 1: { correct: 2, incorrect: 1 }, 2: { correct: 3, incorrect: 0 } },
  });
  expect(stats.avg_acc).toBeCloseTo(5 / 6, 12);
}, 180_000);

test('of several servers those that can do the work, and of each of the others it is told why it does not', async () => {
  const server = await serve(turn);
  const broken = await serve(() => answerStatus(400));
  const other = await startScriptedServer(() => '<answer>0</answer>', 'another');
  servers.push(other);
  const away = await serve(turn);
  await away.close();
  const data = await writeDigitSet(dir, 4);
  const urls = [away, broken, other, server].map(({ url }) => url);
  const args = ['eval', '--api-url', urls.join(','), '--data-path', data, '--save-path', join(dir, 'save')];
  const { stdout, stderr, code } = await lensmith([...args, '--model-name', 'peer']);
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('accuracy   75.0 %') });
  const told = stderr.split('\n').filter((line) => line.startsWith('lensmith: http'));
  expect(told).toHaveLength(3);
  expect(told).toContainEqual(expect.stringMatching(`${away.url} is left out.*ECONNREFUSED`));
  expect(told).toContainEqual(expect.stringMatching(`${broken.url} is left out.*answered 400`));
  expect(told).toContainEqual(expect.stringMatching(`${other.url} is left out.*it serves "another"`));
}, 180_000);

test('where a sample is missing the exit code is not 0, until --retry-failed has asked it again', async () => {
  let away = true;
  const server = await serve((index, request) => (away && index === 1 ? answerStatus(400) : turn(index, request)));
  const data = await writeDigitSet(dir, 4);
  const args = ['eval', '--api-url', server.url, '--data-path', data, '--save-path', join(dir, 'save')];
  const command = [...args, '--model-name', 'peer', '--protocol', 'miniature'];
  expect(await lensmith([...command, '--max-undecided', '0.5'])).toMatchObject({
    code: 3,
    stderr: expect.stringContaining('--retry-failed'),
  });
  expect(await json('stats_peer_test.json')).toMatchObject({ avg_acc: 0.5, undecided: 1, decided: true });
  expect(await lensmith(command)).toMatchObject({ code: 4, stdout: expect.stringContaining('not given') });
  expect(await json('stats_peer_test.json')).toMatchObject({ avg_acc: null, accuracy_if_undecided_right: 0.75 });
  expect(await lines('result_peer_test.jsonl')).toHaveLength(4);
  away = false;
  const before = server.requests.length;
  expect((await lensmith([...command, '--retry-failed'])).code).toBe(0);
  expect(server.requests.length).toBe(before + 1);
  expect(await json('stats_peer_test.json')).toMatchObject({ avg_acc: 0.75, undecided: 0 });
}, 240_000);

test('Ctrl-C finishes what is in flight, and the same command goes on', async () => {
  let interrupt: () => void = () => undefined;
  const server = await serve((index, request) => {
    if (index === 2 && request.messages.length < 3) interrupt();
    return new Promise((resolve) => setTimeout(() => resolve(turn(index, request)), 150));
  });
  const data = await writeDigitSet(dir, 9);
  const args = ['eval', '--api-url', server.url, '--data-path', data, '--save-path', join(dir, 'save')];
  const command = [...args, '--model-name', 'peer', '--protocol', 'miniature', '--num-workers', '2'];
  const first = await lensmith(command, (press) => {
    interrupt = press;
  });
  expect(first).toMatchObject({ code: 130, stderr: expect.stringMatching(/finishing.*stopped after \d of 9/s) });
  interrupt = () => undefined;
  const asked = server.requests.length;
  expect((await lensmith(command)).code).toBe(0);
  // Of nine samples the even ones take two turns: nothing was asked twice.
  expect(server.requests.length).toBe(9 + 5);
  expect(asked).toBeLessThan(9 + 5);
  expect(await lines('result_peer_test.jsonl')).toHaveLength(9);
}, 240_000);

test('a single sample is printed with its trace', async () => {
  const server = await serve(turn);
  const data = await writeDigitSet(dir, 4);
  const args = ['eval', '--api-url', server.url, '--data-path', data, '--save-path', join(dir, 'save')];
  const { stdout, code } = await lensmith([...args, '--protocol', 'miniature', '--sample', 'test-2']);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ sampleId: 'test-2', episode: { answer: '2', ending: 'answered' } });
  expect(server.requests.map(askedIndex)).toEqual([2, 2]);
}, 180_000);

test('a flag that does not fit is named, with exit code 2', async () => {
  const { stderr, code } = await lensmith(['eval', '--num-workers', '0', '--seed', 'x']);
  expect(code).toBe(2);
  for (const flag of ['--data-path', '--num-workers', '--seed']) expect(stderr).toContain(flag);
});

test('every episode is not graded anew beside single samples', async () => {
  const { stderr, code } = await lensmith(['eval', '--data-path', 'x', '--rejudge', '--sample', 'test-1']);
  expect(code).toBe(2);
  expect(stderr).toContain('--rejudge: expected without --sample');
});

test('an empty number, an address without http and a key that no header can have are refused', async () => {
  const numbers = ['--seed', '', '--temperature', ' '];
  const { stderr, code } = await lensmith([
    ...['eval', '--data-path', 'x', ...numbers, '--api-url', 'localhost:8000/v1', '--judge-url', '10.0.0.3:1/v1'],
    ...['--api-key', 'one\ntwo'],
  ]);
  expect(code).toBe(2);
  for (const flag of ['--seed', '--temperature', '--api-url', '--judge-url', '--api-key'])
    expect(stderr).toMatch(new RegExp(`${flag}: expected `));
  const judged = await lensmith(['eval', '--data-path', 'x'], undefined, '10.0.0.3:1/v1');
  expect(judged).toMatchObject({ code: 2, stderr: expect.stringContaining('LLM_AS_A_JUDGE_BASE: expected URLs') });
  const both = await lensmith(['eval', '--data-path', 'x', '--judge_url', 'bad'], undefined, 'http://10.0.0.3:1/v1');
  expect(both).toMatchObject({ code: 2, stderr: expect.stringContaining('--judge-url: expected URLs') });
});

test('a sample that is named twice is asked once, and a folder named `.` has its name in the results', async () => {
  const server = await serve(turn);
  await writeDigitSet(dir, 2);
  const name = basename(dir);
  const args = ['eval', '--api-url', server.url, '--data-path', join(dir, '.'), '--save-path', join(dir, 'save')];
  const command = [...args, '--model-name', '..', '--protocol', 'miniature', '--sample', 'test-1', 'test-1'];
  expect(await lensmith(command)).toMatchObject({
    code: 0,
    stderr: expect.stringContaining(join(dir, 'save', '-', name, 'journal.jsonl')),
  });
  expect(server.requests.map(askedIndex)).toEqual([1]);
}, 60_000);

test.each(['out', 'err'] as const)(
  'without a reader of its std%s it says nothing more, and all is written',
  async (closed) => {
    const server = await serve(turn);
    const args = ['eval', '--api-url', server.url, '--data-path', await writeDigitSet(dir, 2), '--save-path'];
    const env = { ...process.env, LENSMITH_HOME: join(dir, 'home'), LLM_AS_A_JUDGE_BASE: '' };
    const command = [program, ...args, join(dir, 'save'), '--model-name', 'peer', '--protocol', 'miniature'];
    const child = spawn(process.execPath, command, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    child[`std${closed}`].destroy();
    const [other, [code]] = await Promise.all([
      text(closed === 'out' ? child.stderr : child.stdout),
      once(child, 'exit'),
    ]);
    expect(code).toBe(0);
    expect(other).not.toContain('EPIPE');
    expect(await lines('result_peer_test.jsonl')).toHaveLength(2);
  },
  60_000,
);

test('names in any script name the files', async () => {
  const server = await serve(turn);
  const data = join(dir, '数据.parquet');
  await rename(await writeDigitSet(dir, 1), data);
  const args = ['eval', '--api-url', server.url, '--data-path', data, '--save-path', join(dir, 'save')];
  const { code } = await lensmith([...args, '--model-name', 'Модель 1', '--protocol', 'miniature']);
  expect(code).toBe(0);
  expect(await readdir(join(dir, 'save', 'Модель-1'))).toContain('result_Модель-1_数据.jsonl');
}, 60_000);

test('a flag that there is not, or without its value, ends with exit code 2, and the help with 0', async () => {
  expect(await lensmith(['eval', '--bogus', '1'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--bogus'),
  });
  expect(await lensmith(['eval', '--limit'])).toMatchObject({ code: 2, stderr: expect.stringContaining('--limit') });
  expect(await lensmith(['eval', '--help'])).toMatchObject({ code: 0 });
});

test('a data set that is not there, or a folder that cannot be made, ends it at once with one line', async () => {
  const server = await serve(turn);
  const begun = ['eval', '--api-url', server.url, '--save-path'];
  const missing = await lensmith([...begun, join(dir, 'save'), '--data-path', join(dir, 'none.parquet')]);
  expect(missing.code).toBe(1);
  expect(missing.stderr).toMatch(/^lensmith: data: [^\n]*none\.parquet[^\n]*\n$/);
  expect(await readdir(dir)).not.toContain('save');
  const data = await writeDigitSet(dir, 1);
  const unwritable = await lensmith([...begun, join(data, 'save'), '--data-path', data]);
  expect(unwritable.code).toBe(1);
  expect(unwritable.stderr).toMatch(/^lensmith: infrastructure: [^\n]* cannot be written: [^\n]*\n$/);
}, 60_000);

test('an export of a folder that there is not does not make it', async () => {
  const { stderr, code } = await lensmith(['eval', 'export', join(dir, 'typo')]);
  expect(code).toBe(1);
  expect(stderr).toContain(join(dir, 'typo', 'journal.jsonl'));
  expect(await readdir(dir)).not.toContain('typo');
});

test('other settings are not mixed into the same results, and the difference is printed', async () => {
  const server = await serve(turn);
  const data = await writeDigitSet(dir, 2);
  const args = ['eval', '--api-url', server.url, '--data-path', data, '--save-path', join(dir, 'save')];
  const command = [...args, '--protocol', 'miniature'];
  expect((await lensmith(command)).code).toBe(0);
  expect(await lensmith([...command, '--temperature', '0.5'])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('temperature: 0.01 → 0.5'),
  });
}, 180_000);
