import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, onTestFinished, test } from 'vitest';
import { rlSchema } from '../../datasets/arrow-schemas.ts';
import { writeRows } from '../../datasets/write-parquet.ts';
import { png } from '../episodes/scripted-sandbox.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

const program = join(import.meta.dirname, '../../cli/main.ts');

/** Three rows of a data source, without a kind of their own; the reference is 40. */
const writeData = async (dir: string, dataSource: string): Promise<string> => {
  const bytes = await png(28, 28);
  const path = join(dir, `${dataSource}.parquet`);
  const row = (index: number) => ({
    data_source: dataSource,
    prompt: [{ role: 'user', content: 'How much?' }],
    images: [{ bytes, path: null }],
    ability: 'chart',
    reward_model: { style: 'rule', ground_truth: '40' },
    extra_info: {
      ...{ split: 'test', index, question: 'How much?', answer: '40' },
      ...{ answer_kind: 'auto', family: 'chart', transform: 'identity' },
    },
  });
  await writeRows(path, rlSchema, [row(0), row(1), row(2)]);
  return path;
};

const prepare = async (dataSource: string) => {
  const dir = await temporaryFolder();
  const server = await startScriptedServer(() => '<answer>41</answer>');
  onTestFinished(() => server.close());
  const data = await writeData(dir, dataSource);
  const evaluate = async (...more: string[]) => {
    const flags = ['--api-url', server.url, '--data-path', data, '--save-path', join(dir, 'save'), '--protocol'];
    const env = { ...process.env, LENSMITH_HOME: join(dir, 'home'), LLM_AS_A_JUDGE_BASE: '' };
    const child = spawn(process.execPath, [program, 'eval', ...flags, 'miniature', '--model-name', 'm', ...more], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit'), text(child.stdout)]);
    const lines = await readFile(join(dir, 'save', 'm', `result_m_${dataSource}.jsonl`), 'utf8').catch(() => '');
    const results = lines.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]));
    return { code, stderr, kinds: results.map(({ answer_kind, verdict }) => [answer_kind, verdict]) };
  };
  return { server, evaluate };
};

test('the kind of an answer follows the data source, and each result line has it', async () => {
  const { server, evaluate } = await prepare('chartqa');
  const { code, stderr, kinds } = await evaluate();
  expect(code).toBe(0);
  expect(stderr).not.toContain('not known');
  expect(kinds).toEqual(Array(3).fill(['chart', 'correct']));
  const asked = server.requests.length;
  const again = await evaluate('--rejudge', '--answer-kind', 'count');
  expect(again.kinds).toEqual(Array(3).fill(['count', 'wrong']));
  expect(server.requests).toHaveLength(asked);
  expect(await evaluate('--rejudge')).toMatchObject({ code: 2, stderr: expect.stringContaining('name a kind again') });
}, 120_000);

test('a data source that is not known is told once, and its answers are texts', async () => {
  const { evaluate } = await prepare('curious');
  const { code, stderr, kinds } = await evaluate();
  expect(code).toBe(0);
  expect(stderr.match(/the data source "curious" is not known/g)).toHaveLength(1);
  expect(kinds).toEqual(Array(3).fill(['text', 'wrong']));
}, 120_000);

test('a kind that there is not is refused', async () => {
  const { evaluate } = await prepare('chartqa');
  expect(await evaluate('--answer-kind', 'essay')).toMatchObject({
    code: 2,
    stderr: expect.stringContaining('--answer-kind'),
  });
}, 120_000);
