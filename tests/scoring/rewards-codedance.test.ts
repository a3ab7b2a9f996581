import { describe, expect, it } from 'vitest';
import { paperDifficulty } from '../../scoring/rewards/codedance-paper.ts';
import { releasedDifficulty } from '../../scoring/rewards/codedance-released.ts';
import { discountedPenalties } from '../../scoring/rewards/codedance-terms.ts';
import { rewards } from '../../scoring/rewards/rewards.ts';
import { scoreGroup, scoreGroups } from '../../scoring/rewards/score-group.ts';
import { gradeOf } from '../support/episodes.ts';
import { traceOf } from '../support/traces.ts';

const failed = {
  outcome: 'exception',
  error: { type: 'NameError', message: "name 'x' is not defined", line: 1, traceback: '' },
} as const;

const right = { grade: gradeOf('correct') };
const wrong = { grade: gradeOf('wrong') };

/** Right with a good and a bad call; right without calls; wrong with a good call; right with a good call. */
const group = [
  { episode: traceOf([{}, failed]), ...right },
  { episode: traceOf([]), ...right },
  { episode: traceOf([{}], { answer: '9' }), ...wrong },
  { episode: traceOf([{}]), ...right },
];

describe('the difficulty factor', () => {
  it('of the paper is a sigmoid: 0.681, 0.3 and −0.081 at mu 0, ½ and 1', () => {
    // σ(2) = 0.880797, σ(0) = 0.5, σ(−2) = 0.119203, each less 0.2.
    expect([0, 0.5, 1].map(paperDifficulty)).toEqual([
      expect.closeTo(0.680797, 6),
      expect.closeTo(0.3, 12),
      expect.closeTo(-0.080797, 6),
    ]);
  });

  it('of the code is twice as steep: 0.782, 0.3 and −0.182', () => {
    // (1 + tanh 2) / 2 = σ(4) = 0.982014, and σ(−4) = 0.017986, each less 0.2.
    expect([0, 0.5, 1].map(releasedDifficulty)).toEqual([
      expect.closeTo(0.782014, 6),
      expect.closeTo(0.3, 12),
      expect.closeTo(-0.182014, 6),
    ]);
  });
});

describe('values of calls', () => {
  it('are discounted backwards: good, bad, bad gives −0.12, −0.6, −0.5', () => {
    // −0.5; −0.5 + 0.2 · −0.5 = −0.6; 0 + 0.2 · −0.6 = −0.12
    expect(discountedPenalties([false, true, true])).toEqual([
      expect.closeTo(-0.12, 12),
      expect.closeTo(-0.6, 12),
      expect.closeTo(-0.5, 12),
    ]);
  });
});

describe('codedance-paper', () => {
  const scores = scoreGroup(rewards['codedance-paper'], group);

  it('adds d N_succ / N_total to the outcome: mu ¾, d = σ(−1) − 0.2 = 0.0689414', () => {
    expect(scores.map(({ reward }) => reward)).toEqual([
      expect.closeTo(1 + 0.0689414 / 2, 6),
      1,
      expect.closeTo(0.0689414, 6),
      expect.closeTo(1.0689414, 6),
    ]);
  });

  it('values the turns by the discounted penalties, the answer by 0', () => {
    expect(scores[0]?.turnRewards).toEqual([expect.closeTo(-0.1, 12), -0.5, 0]);
    expect(scores[3]?.turnRewards).toEqual([0, 0]);
  });

  it('charges 0.2 for thoughts that stay open and for two answers', () => {
    const open = { ...traceOf([]), turns: [{ ...group[1]?.episode.turns[0], text: '<think>hm <answer>8</answer>' }] };
    const [score] = scoreGroup(rewards['codedance-paper'], [
      { episode: open as (typeof group)[0]['episode'], ...right },
    ]);
    expect(score?.terms).toMatchObject({ accuracy: 1, format: -0.2 });
  });
});

describe('codedance-released', () => {
  it('pays 1.5 s or 0.5 s by the verdict, times d of the mean score: mean ¾, d = σ(−2) − 0.2 = −0.0807971', () => {
    const scores = scoreGroup(rewards['codedance-released'], group);
    expect(scores.map(({ reward }) => reward)).toEqual([
      expect.closeTo(1 - 0.0807971 * 1.5 * 0.5, 6),
      1,
      expect.closeTo(-0.0807971 * 0.5, 6),
      expect.closeTo(1 - 0.0807971 * 1.5, 6),
    ]);
  });

  it('takes the mean of scores with their format, not of accuracies: 0.8 and 1 make d(0.9) = −0.160', () => {
    const badForm = {
      ...traceOf([{}]),
      turns: traceOf([{}]).turns.map((turn) => ({ ...turn, text: `<think>${turn.text}` })),
    };
    const [bad] = scoreGroup(rewards['codedance-released'], [
      { episode: badForm, ...right },
      { episode: traceOf([]), ...right },
    ]);
    // σ(8 · (0.5 − 0.9)) − 0.2 = σ(−3.2) − 0.2 = 0.039166 − 0.2 = −0.160834, times 1.5.
    expect(bad?.terms).toEqual({ accuracy: 1, format: -0.2, tool: expect.closeTo(-0.241251, 6) });
  });

  it('standardises the values of all calls of the batch and takes a fifth', () => {
    // −0.1, −0.5, 0, 0: mean −0.15, variance (0.0025 + 0.1225 + 0.0225 + 0.0225) / 4 = 0.0425, deviation 0.2061553.
    const [scores] = scoreGroups(rewards['codedance-released'], [group]);
    expect(scores?.[0]?.turnRewards).toEqual([expect.closeTo(0.0485071, 6), expect.closeTo(-0.3395499, 6), 0]);
    expect(scores?.[2]?.turnRewards).toEqual([expect.closeTo(0.1455214, 6), 0]);
    expect(scores?.[1]?.turnRewards).toEqual([0]);
  });

  it('takes the printed word "Error" for a failure, which the paper form does not', () => {
    const printed = [{ episode: traceOf([{ stdout: 'Error bars of 3 %\n' }]), ...wrong }];
    expect(scoreGroup(rewards['codedance-released'], printed)[0]?.terms.tool).toBe(0);
    // mu 0: d = σ(2) − 0.2, all of one call succeeded.
    expect(scoreGroup(rewards['codedance-paper'], printed)[0]?.terms.sequence).toBeCloseTo(0.680797, 6);
  });

  it('pays a wrong answer for code that does nothing where the group is wrong: 0.5 · 0.782 = 0.391', () => {
    const [hack] = scoreGroup(rewards['codedance-released'], [
      { episode: traceOf([{ code: '# crop it', stdout: '' }]), ...wrong },
    ]);
    expect(hack?.reward).toBeCloseTo(0.391007, 6);
  });

  it('scores mathematics by 1.2, 0.4 and 2 s', () => {
    const task = { dataSource: 'xince' };
    const [score] = scoreGroup(rewards['codedance-released'], [{ episode: traceOf([{}], { task }), ...right }]);
    // d(1.2) = σ(8 · −0.7) − 0.2 = 0.003684 − 0.2 = −0.196316, times 2.
    expect(score?.terms).toEqual({ accuracy: 1.2, format: 0, tool: expect.closeTo(-0.392632, 6) });
  });

  it('takes an answer of 1000 characters for wrong and badly formed', () => {
    const [score] = scoreGroup(rewards['codedance-released'], [
      { episode: traceOf([], { answer: '8'.repeat(1000) }), ...right },
    ]);
    expect(score?.terms).toEqual({ accuracy: 0, format: -0.2, tool: 0 });
  });
});
