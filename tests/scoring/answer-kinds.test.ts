import { expect, test } from 'vitest';
import { type AnswerKind, answerKinds } from '../../domain/answer-kind.ts';
import {
  answerKindOf,
  answerKindOfTask,
  isScoringAs,
  type RowAnswer,
  scoringAs,
} from '../../scoring/answer-kind-of.ts';
import { gradeEpisode, scoringVersion } from '../../scoring/grade-episode.ts';
import { kindOfStyle, kindsOfSource } from '../../scoring/rules/source-kinds.ts';
import { episodeOf } from '../support/episodes.ts';

const row = (changes: Partial<RowAnswer>): RowAnswer => ({
  named: null,
  style: 'rule',
  dataSource: 'nobody-knows',
  question: 'What is it?',
  reference: 'a cup',
  ...changes,
});

test.each<[string, AnswerKind | undefined]>([
  ['chartqa', 'chart'],
  ['HuggingFaceM4/ChartQA', 'chart'],
  ['ChartQAPro_rot90', 'chart'],
  ['chart', 'chart'],
  ['chart_refocus_train_filter_v1', 'chart'],
  ['lmms-lab/DocVQA', 'document'],
  ['infographicvqa_val', 'document'],
  ['textvqa', 'document'],
  ['OCRBench_flip_h', 'ocr'],
  ['ocrbench-v2', 'ocr'],
  ['MVToolBench', 'ocr'],
  ['gsm8k', 'number'],
  ['CountBenchQA', 'count'],
  ['countbench_QA_eval', 'count'],
  ['pixmo_test', 'count'],
  ['HuggingFaceH4/MATH-500', 'math'],
  ['lighteval/MATH', 'math'],
  ['numina_amc_aime', 'math'],
  ['aime24', 'math'],
  ['gqa', 'text'],
  ['SA1B', 'text'],
  ['sa1b_rl_filtered', 'text'],
  ['mnist', undefined],
  ['chartists', undefined],
  ['chart_of_accounts', undefined],
  ['default', undefined],
  ['', undefined],
  ['___', undefined],
])('%s wants %s', (dataSource, kind) => {
  expect(kindsOfSource(dataSource)?.at(-1)).toBe(kind);
});

const options = 'Which colour is it?\nA. red\nB. blue\nC. green';

test.each<[string, string, string, AnswerKind]>([
  ['vstar_val', 'B', 'Which colour is it?', 'choice'],
  ['V*', '(C)', options, 'choice'],
  ['vstar', 'green', options, 'choice'],
  ['vl_agent', 'The mug is white.', 'Which colour is the mug?', 'text'],
  ['HR-Bench-4K', 'D', options, 'choice'],
  ['hrbench_8k', 'A', options, 'choice'],
  ['mathvista_testmini', '3.5', 'How long is it?', 'number'],
  ['MathVista', 'B', options, 'choice'],
  ['mathvista', 'green', 'Which colour is it?', 'text'],
  ['mathverse_vision_only_testmini', 'C', options, 'choice'],
  ['mathverse_vision_only_testmini', '2\\sqrt{3}', 'Find AB.', 'math'],
  ['MathVision', '\\frac{1}{2}', 'Which share is grey?', 'math'],
  ['thinklite_eureka', '120', 'Find the angle.', 'math'],
  ['charxiv_reasoning_val', '0.25', 'Which value is the highest?', 'number'],
  ['charxiv', 'the blue line', 'Which line is the highest?', 'text'],
])('%s with the reference %s wants %s', (dataSource, reference, question, kind) => {
  expect(answerKindOf(row({ dataSource, reference, question }))).toEqual({ kind, from: 'source' });
});

test('what the row names goes before its style, and that before its source', () => {
  const all = { named: 'number', style: 'math', dataSource: 'chartqa' };
  expect(answerKindOf(row(all))).toEqual({ kind: 'number', from: 'row' });
  expect(answerKindOf(row({ ...all, named: null }))).toEqual({ kind: 'math', from: 'style' });
  expect(answerKindOf(row({ ...all, named: 'auto', style: 'rule' }))).toEqual({ kind: 'chart', from: 'source' });
  expect(answerKindOf(row({}))).toEqual({ kind: 'text', from: 'unknown' });
  expect(answerKindOf(row({ named: 'essay' }))).toEqual({ kind: 'essay', from: 'row' });
});

test('a style names a kind, an alias of one, or nothing', () => {
  for (const kind of answerKinds) expect(kindOfStyle(kind)).toBe(kind);
  expect(kindOfStyle('Multiple_Choice')).toBe('choice');
  for (const style of ['rule', 'model', '', 'llm']) expect(kindOfStyle(style)).toBeUndefined();
});

test('a task that leaves its kind open is graded as its source says', async () => {
  const task = { answerKind: 'auto', dataSource: 'chartqa', question: 'What is the share?', reference: '40' } as const;
  const near = episodeOf([], '41', task);
  expect(answerKindOfTask(near.task)).toBe('chart');
  expect(await gradeEpisode(near)).toMatchObject({ verdict: 'correct', decidedBy: 'rule', rule: 'chart' });
  const counted = episodeOf([], '41', { ...task, dataSource: 'countbench' });
  expect(await gradeEpisode(counted)).toMatchObject({ verdict: 'wrong', rule: 'number' });
  expect(answerKindOfTask(episodeOf([], '41', { ...task, dataSource: 'nobody-knows' }).task)).toBe('text');
});

test('the version of scoring names the table, and a kind for all answers', () => {
  expect(scoringVersion).toMatch(/^rules-\d+ kinds-\d+ prompts-/);
  expect(isScoringAs(scoringVersion)).toBe(false);
  expect(isScoringAs(scoringAs(scoringVersion, 'chart'))).toBe(true);
});
