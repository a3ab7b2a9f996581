import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { gradeEpisode } from '../../scoring/grade-episode.ts';
import { parseVerdict } from '../../scoring/judge/judge-client.ts';
import { choiceRule, parseChoice } from '../../scoring/rules/choice-rule.ts';
import { numberRule } from '../../scoring/rules/number-rule.ts';
import { parseNumber } from '../../scoring/rules/parse-number.ts';
import { textRule } from '../../scoring/rules/text-rule.ts';
import { episodeOf } from '../support/episodes.ts';

describe('numbers', () => {
  it.each([
    ['8', '8', true],
    ['8', ' 8. ', true],
    ['8', 'eight', true],
    ['8', '8 apples', true],
    ['1234.5', '1,234.5', true],
    ['0.0003', '3e-4', true],
    ['-5', '-5', true],
    ['12', '12 %', true],
    ['5', '$5', true],
    ['0.3333333', '0.33333', true],
    ['2024', '2025', false],
    ['8', '80', false],
    ['8', '8.0001', false],
    ['1', '0, not 1', false],
    ['3', '3 or four', false],
    ['3', '3 4', false],
    ['3', '', false],
    ['3', 'many', false],
    ['-5', '\u22125', true],
    ['5', '\u22125', false],
    ['5', '-5', false],
    ['1234', '1,234', true],
    ['1234', '1.234', false],
    ['1234', '12,34', false],
    ['5000000', '5 million', true],
    ['5', '5 million', false],
    ['3', '3 four', false],
    ['5', 'not 5', false],
    ['5', '<5', false],
    ['0.5', '1/2', true],
    ['1', '1/2', false],
    ['5', '5²', false],
    ['5', '5 m²', true],
    ['1986', 'in 1986 or 1987', false],
    ['1', '1e0', true],
    ['1', '1e400', false],
    ['9007199254740992', '9007199254740993', false],
  ])('reference %j, answer %j: %s', (reference, answer, correct) => {
    expect(numberRule(reference, answer)).toMatchObject({ decided: true, correct });
  });

  it.each([
    ['3', '3 or'],
    ['3.5', '3,5'],
    ['1000', '1 000'],
    ['2', '1+1'],
    ['10', '5 out of 10'],
  ])('reference %j, answer %j: nobody can say', (reference, answer) => {
    expect(numberRule(reference, answer)).toMatchObject({ decided: false, parsed: false });
  });

  it('reads every number that it would write', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => parseNumber(String(value)) === value),
    );
  });

  it('never accepts a text with two separate numbers', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.nat(),
        (a, b) => parseNumber(`${a} ${b}`) === undefined && parseNumber(`${a}, ${b}`) === undefined,
      ),
    );
  });

  it('leaves a reference that is no number to others', () => {
    expect(numberRule('red', '3').decided).toBe(false);
  });
});

describe('choices', () => {
  it.each([
    ['B', 'B'],
    ['(b)', 'B'],
    ['B.', 'B'],
    ['B) red', 'B'],
    ['Option B', 'B'],
    ['The answer is B', 'B'],
    ['A dog', undefined],
    ['a', 'A'],
    ['a red car', undefined],
    ['Both A and B', undefined],
    ['D. A dog', 'D'],
    ['B) red, as in picture (2)', 'B'],
    ['Answer: D', 'D'],
    ['the correct option is (C).', 'C'],
    ['Clearly, the answer is B.', 'B'],
    ['It cannot be A, so the answer is C', 'C'],
    ['B. or C', undefined],
    ['A) or B)', undefined],
    ['A. No, B.', undefined],
    ['C, not D', 'C'],
    ['<answer>C</answer>', undefined],
    ['', undefined],
  ])('%j names %j', (text, letter) => {
    expect(parseChoice(text)).toBe(letter);
  });

  it('decides letters and leaves words to the judge', () => {
    expect(choiceRule('A', 'B')).toMatchObject({ decided: true, correct: false });
    expect(choiceRule('A', 'a dog').decided).toBe(false);
  });
});

it('texts agree but for case, spaces and punctuation', () => {
  expect(textRule('Stop sign', ' stop  SIGN.')).toMatchObject({ decided: true, correct: true });
  expect(textRule('Stop sign', 'yield sign').decided).toBe(false);
});

it.each([
  ['3.5', '3 5'],
  ['52', '5²'],
  ['-5', '5'],
  ['a cat', 'a car'],
  ['A', 'the a'],
  ['007', '7'],
  ['5', '5.1'],
  ['?', '!'],
  ['', ''],
])('the text rule does not take %j for %j', (reference, answer) => {
  expect(textRule(answer, reference)).not.toMatchObject({ correct: true });
  expect(textRule(reference, answer)).not.toMatchObject({ correct: true });
});

it.each([
  ['8', '8.0', true],
  ['8', 'eight', true],
  ['8', '9', false],
  ['-5', '5', false],
  ['0.28', '.28', true],
  ['the left one', 'left one', true],
])('the text rule of the reference %j and the answer %j: %s', (reference, answer, correct) => {
  expect(textRule(reference, answer)).toMatchObject({ decided: true, correct });
});

it('the text rule decides yes and no', () => {
  expect(textRule('yes', 'No, it is closed')).toMatchObject({ decided: true, correct: false });
  expect(textRule('no', 'nothing').decided).toBe(false);
});

describe('grades', () => {
  it('an answer of more than a thousand characters is unparsed, whatever it has in it', async () => {
    const long = `${'I looked at it again. '.repeat(60)}The answer is 8.`;
    expect(await gradeEpisode(episodeOf([], long))).toMatchObject({ verdict: 'unparsed', rule: 'number' });
  });

  it.each([
    ['model_error', 'infra_error'],
    ['sandbox_error', 'infra_error'],
    ['data_error', 'infra_error'],
    ['turn_limit', 'limit'],
    ['time_limit', 'limit'],
    ['context_limit', 'limit'],
  ] as const)('an episode that ended as %s is %s, whatever it answered', async (ending, verdict) => {
    expect((await gradeEpisode(episodeOf([], '8', {}, ending))).verdict).toBe(verdict);
  });

  it('rules decide numbers, and no answer is unparsed', async () => {
    expect(await gradeEpisode(episodeOf([], '8'))).toMatchObject({ verdict: 'correct', decidedBy: 'rule' });
    expect((await gradeEpisode(episodeOf([], '9'))).verdict).toBe('wrong');
    expect((await gradeEpisode(episodeOf([], null))).verdict).toBe('unparsed');
  });

  it('a statement without marks counts, free text does not', async () => {
    const said = (text: string) => {
      const episode = episodeOf([], null, { answerKind: 'choice', reference: 'B', question: 'Which? A. red B. blue' });
      return gradeEpisode({ ...episode, turns: episode.turns.map((turn) => ({ ...turn, text })) });
    };
    expect(await said('So the answer is (B).')).toMatchObject({ verdict: 'correct', rule: 'choice' });
    expect(await said('So the answer is red.')).toMatchObject({ verdict: 'wrong', rule: 'choice' });
    expect(await said('A sign that I see has a B on it')).toMatchObject({ verdict: 'unparsed' });
  });

  it('an answer in which a rule finds no letter is unparsed, or for the judge', async () => {
    const open = episodeOf([], 'A or B', { answerKind: 'choice', reference: 'B' });
    expect(await gradeEpisode(open)).toMatchObject({ verdict: 'unparsed', rule: 'choice' });
    const judge = async () => ({ verdict: 'wrong' as const, decidedBy: 'judge' as const, reason: 'two letters' });
    expect(await gradeEpisode(open, { judge })).toMatchObject({ verdict: 'wrong', rule: 'choice' });
  });

  it('an answer in which a rule finds no letter is not decided by an outage of the judge', async () => {
    const open = episodeOf([], 'A or B', { answerKind: 'choice', reference: 'B' });
    const failed = { verdict: 'judge_failed' as const, decidedBy: 'none' as const, reason: 'it is away' };
    expect(await gradeEpisode(open, { judge: async () => failed })).toMatchObject({ verdict: 'unparsed' });
    const away = async () => ({ ...failed, awaitsJudge: true as const });
    expect(await gradeEpisode(open, { judge: away })).toEqual({ ...failed, rule: 'choice' });
  });

  it('without a judge an open answer is undecided, never wrong; with one the judge decides', async () => {
    const open = episodeOf([], 'a yield sign', { answerKind: 'text', reference: 'stop sign' });
    expect((await gradeEpisode(open)).verdict).toBe('judge_failed');
    const judge = async () => ({ verdict: 'wrong' as const, decidedBy: 'judge' as const, reason: 'another sign' });
    expect(await gradeEpisode(open, { judge })).toMatchObject({ verdict: 'wrong', decidedBy: 'judge' });
  });
});

describe('replies of a judge', () => {
  it.each([
    ['{"verdict":"correct","reason":"same"}', 'correct'],
    ['```json\n{"verdict":"wrong","reason":"other"}\n```', 'wrong'],
    ['{"verdict":"cannot tell","reason":"blurred"}', 'judge_failed'],
    ['correct', 'judge_failed'],
    ['1', 'judge_failed'],
    ['{"verdict":"Correct!"}', 'judge_failed'],
    ['{"verdict":"correct"} {"verdict":"wrong"}', 'judge_failed'],
    ['', 'judge_failed'],
  ])('%j is %s', (reply, verdict) => {
    expect(parseVerdict(reply).verdict).toBe(verdict);
  });

  it('gives no verdict to anything that is not one JSON object', () => {
    fc.assert(fc.property(fc.string(), (reply) => parseVerdict(reply).verdict === 'judge_failed'));
  });
});
