import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { type EvaluationRequest, evaluateModel } from '../../activities/evaluate-model.ts';
import { judgeIdOf } from '../../activities/judge-id.ts';
import type { SharedSandbox } from '../../activities/shared-sandbox.ts';
import { rlSchema } from '../../datasets/arrow-schemas.ts';
import { writeRows } from '../../datasets/write-parquet.ts';
import type { RunSpecInput } from '../../domain/run-spec.ts';
import { png, ranOk, scriptedSandbox } from '../episodes/scripted-sandbox.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex } from '../evaluation/digit-set.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { startOracle } from '../scoring/judge-oracle.ts';
import { artifactAt } from './evaluation-record.ts';
import { activityContext } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

const samples = 8;

const sandbox = (): SharedSandbox => {
  const share = async () => ({ ...scriptedSandbox(() => ranOk('8\n')).sandbox, isolation: 'namespaces' });
  return Object.assign(share, { closeIfOpen: async () => undefined }) as unknown as SharedSandbox;
};

const writeQuestions = async (dir: string): Promise<void> => {
  const bytes = await png(28, 28);
  const row = (index: number) => ({
    data_source: 'test',
    prompt: [{ role: 'user', content: `What is ${index}?` }],
    images: [{ bytes, path: null }],
    ability: 'naming',
    reward_model: { style: 'rule', ground_truth: 'a barn owl' },
    extra_info: {
      ...{ split: 'test', index, question: `What is ${index}?`, answer: 'a barn owl' },
      ...{ answer_kind: 'text', family: 'naming', transform: 'identity' },
    },
  });
  await writeRows(
    join(dir, 'test.parquet'),
    rlSchema,
    Array.from({ length: samples }, (_, index) => row(index)),
  );
};

/** A model that says the reference, but for the samples from `open` on, whose answers only a judge can decide. */
const prepare = async (
  open: number,
  judge: Partial<RunSpecInput['judge']> = {},
  evaluation: RunSpecInput['evaluation'] = {},
) => {
  const data = await temporaryFolder();
  await writeQuestions(data);
  const host = await testHost();
  const model = join(host.home, 'judge.gguf');
  await writeFile(model, 'weights');
  const run = await testRun(host, {
    judge: { engine: 'builtin', model, startSeconds: 0.1, requestSeconds: 5, ...judge },
    evaluation: { concurrency: 2, ...evaluation },
  });
  const request: EvaluationRequest = {
    modelName: 'sft',
    checkpoint: 'model',
    model: artifactAt('model', join(run.dir, 'sft')),
    data: { ...artifactAt('dataset', data), details: { files: { test: 'test.parquet' } } },
    split: 'test',
    stage: 'benchmark-suite',
  };
  const server = await startScriptedServer((asked) =>
    askedIndex(asked) < open ? '<answer>a barn owl</answer>' : `<answer>bird number ${askedIndex(asked)}</answer>`,
  );
  onTestFinished(() => server.close());
  const evaluate = (judgeUrl: string | null, again: Partial<EvaluationRequest> = {}) =>
    activityContext().run(() =>
      evaluateModel(host, sandbox())(
        run,
        { ...request, ...again },
        { name: 'sft', url: server.url, servedName: 'scripted' },
        judgeUrl === null ? null : { name: 'judge', url: judgeUrl, servedName: 'judge' },
      ),
    );
  return { model, server, evaluate };
};

test('a judge that passes its audit decides what rules cannot, and the result says who it was', async () => {
  const { model, evaluate } = await prepare(6);
  const judge = await startOracle(undefined, 'wrong');
  const { result } = await evaluate(judge.url);
  const id = await judgeIdOf(model);
  expect(result).toMatchObject({ verdicts: { correct: 6, wrong: 2 }, judgeDecided: 2 });
  expect(result.judge).toMatchObject({ id, policy: 'required', audit: 'passed', decides: true });
  expect(result.fingerprint.scoring).toMatch(new RegExp(` judge ${id}$`));
});

test('another evaluation with the same answers needs no call of the judge', async () => {
  const { evaluate } = await prepare(6);
  const judge = await startOracle(undefined, 'wrong');
  const first = await evaluate(judge.url);
  const calls = judge.requests.length;
  const second = await evaluate(judge.url, { checkpoint: 'checkpoint-2' });
  expect(second.result.verdicts).toEqual(first.result.verdicts);
  expect(second.result.judgeDecided).toBe(2);
  expect(judge.requests).toHaveLength(calls);
});

test('a judge that fails is refused: the evaluation ends as undecided and says what to do', async () => {
  const { evaluate } = await prepare(6);
  const judge = await startOracle(() => 'correct');
  await expect(evaluate(judge.url)).rejects.toMatchObject({
    type: 'undecided',
    message: expect.stringMatching(/judge\.gguf@.*refused.*specificity.*judge\.audit to "force"/s),
  });
});

test('where few answers need it, a refused judge leaves them undecided, and the result says so', async () => {
  const { evaluate } = await prepare(7, {}, { maxUndecidedShare: 0.2 });
  const judge = await startOracle(() => 'correct');
  const { result } = await evaluate(judge.url);
  expect(result).toMatchObject({ verdicts: { correct: 7, judge_failed: 1 }, judgeDecided: 0 });
  expect(result.judge).toMatchObject({ audit: 'failed', decides: false });
});

test('forced, a judge that fails decides, and every result says so', async () => {
  const { evaluate } = await prepare(6, { audit: 'force' });
  const judge = await startOracle(() => 'correct');
  const { result } = await evaluate(judge.url);
  expect(result).toMatchObject({ verdicts: { correct: 8 }, judgeDecided: 2 });
  expect(result.judge).toMatchObject({ policy: 'force', audit: 'failed', decides: true });
  expect(result.fingerprint.scoring).toMatch(/audit force$/);
});

test('a judge that no answer needs is neither asked nor audited', async () => {
  const { evaluate } = await prepare(samples);
  const judge = await startOracle(() => 'correct');
  const { result } = await evaluate(judge.url);
  expect(result).toMatchObject({ verdicts: { correct: samples }, judgeDecided: 0 });
  expect(result.judge).toMatchObject({ audit: 'not_needed', decides: false });
  expect(judge.requests).toHaveLength(0);
});

test.each([
  ['lies about its model', async () => (await startOracle(undefined, 'correct', 'something-smaller')).url],
  ['refuses every connection', async () => 'http://127.0.0.1:1/v1'],
])('a judge that %s: undecided, no verdict is invented; another judge decides without the model', async (_, bad) => {
  const { server, evaluate } = await prepare(6);
  await expect(evaluate(await bad())).rejects.toMatchObject({
    type: 'undecided',
    where: expect.stringContaining('verdicts: correct 6, judge_failed 2'),
  });
  const asked = server.requests.length;
  const judge = await startOracle(undefined, 'wrong');
  const { result } = await evaluate(judge.url);
  expect(result.verdicts).toEqual({ correct: 6, wrong: 2 });
  expect(server.requests).toHaveLength(asked);
});

test('judges that are served elsewhere vote, also where the run serves none', async () => {
  const [one, two, three] = [
    await startOracle(undefined, 'wrong', 'one'),
    await startOracle(undefined, 'correct', 'two'),
    await startOracle(undefined, 'wrong', 'three'),
  ];
  const others = [
    { urls: [one.url], model: 'one' },
    { urls: [two.url], model: 'two' },
    { urls: [three.url], model: 'three' },
  ];
  const { evaluate } = await prepare(6, { engine: 'none', others });
  const { result } = await evaluate(null);
  expect(result).toMatchObject({ verdicts: { correct: 6, wrong: 2 }, judgeDecided: 2 });
  expect(result.judge).toMatchObject({ id: 'one + two + three', audit: 'passed', decides: true });
});

test('the key of a judge comes from the environment, and a missing one is named', async () => {
  const judge = await startOracle(undefined, 'wrong');
  const others = [{ urls: [judge.url], model: 'judge', apiKeyVariable: 'LENSMITH_TEST_NO_SUCH_KEY' }];
  const { evaluate } = await prepare(6, { engine: 'none', others });
  await expect(evaluate(null)).rejects.toMatchObject({
    type: 'auth',
    message: expect.stringContaining('LENSMITH_TEST_NO_SUCH_KEY'),
  });
});

test("a judge's id changes with its weights and not with its place", async () => {
  const folders = [await temporaryFolder(), await temporaryFolder()];
  const ids = await Promise.all(
    folders.map(async (folder) => {
      await writeFile(join(folder, 'judge.gguf'), 'weights');
      return judgeIdOf(join(folder, 'judge.gguf'));
    }),
  );
  expect(ids[0]).toBe(ids[1]);
  await writeFile(join(folders[0] ?? '', 'judge.gguf'), 'other weights');
  expect(await judgeIdOf(join(folders[0] ?? '', 'judge.gguf'))).not.toBe(ids[1]);
  await expect(judgeIdOf('/no/such/model')).rejects.toMatchObject({ type: 'config', where: 'judge.model' });
});
