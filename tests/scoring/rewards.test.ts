import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { callOutcomes } from '../../domain/sandbox.ts';
import { verdicts } from '../../domain/verdict.ts';
import { groupAccuracy } from '../../scoring/rewards/reward.ts';
import { rewards } from '../../scoring/rewards/rewards.ts';
import { scoreGroup } from '../../scoring/rewards/score-group.ts';
import { episodeOf, gradeOf } from '../support/episodes.ts';

const member = (calls: Parameters<typeof episodeOf>[0], verdict: (typeof verdicts)[number]) => ({
  episode: episodeOf(calls, verdict === 'unparsed' ? null : '8'),
  grade: gradeOf(verdict),
});

const anyGroup = fc.array(
  fc
    .tuple(fc.array(fc.constantFrom(...callOutcomes), { maxLength: 4 }), fc.constantFrom(...verdicts))
    .map(([calls, verdict]) => member(calls, verdict)),
  { minLength: 1, maxLength: 8 },
);

describe('the lensmith reward', () => {
  it('on a hard task pays a right answer for calls that ran: mu 1/2, one call, by hand', () => {
    const [right, wrong] = scoreGroup(rewards.lensmith, [member(['ok'], 'correct'), member(['exception'], 'wrong')]);
    // 1 + 0.1 + 0.2 · ½ · 1/1 − 0.1 · ½ · 1
    expect(right?.reward).toBeCloseTo(1.15, 12);
    // 0 + 0.1 − 0.1 · ½ · 1 − 0.5
    expect(wrong?.reward).toBeCloseTo(-0.45, 12);
  });

  it('on an easy task a call that was not needed lowers the reward', () => {
    const [direct, checked] = scoreGroup(rewards.lensmith, [member([], 'correct'), member(['ok'], 'correct')]);
    expect(direct?.reward).toBeCloseTo(1.1, 12);
    expect(checked?.reward).toBeCloseTo(1.0, 12);
  });

  it('does not charge for a call that the sandbox lost', () => {
    const [lost] = scoreGroup(rewards.lensmith, [member(['infrastructure', 'ok'], 'correct')]);
    const [plain] = scoreGroup(rewards.lensmith, [member(['ok'], 'correct')]);
    expect(lost?.reward).toBe(plain?.reward);
  });
});

describe.each(['lensmith', 'accuracy'] as const)('every reward: %s', (name) => {
  const score = (group: Parameters<typeof scoreGroup>[1]) => scoreGroup(rewards[name], group);

  it('is the sum of its terms, finite and bounded', () => {
    fc.assert(
      fc.property(anyGroup, (group) =>
        score(group).every(({ reward, terms }) => {
          const sum = Object.values(terms).reduce((total, term) => total + term, 0);
          return reward === sum && reward <= 1.3 && reward >= -6.1;
        }),
      ),
    );
  });

  it('does not depend on the order of the group', () => {
    fc.assert(
      fc.property(anyGroup, (group) => {
        const forth = score(group).map(({ reward }) => reward);
        const back = score([...group].reverse()).map(({ reward }) => reward);
        expect(back.reverse()).toEqual(forth);
      }),
    );
  });

  it('leaves an outage out: masked, without terms, and without effect on the others', () => {
    fc.assert(
      fc.property(anyGroup, (group) => {
        const outage = member(['ok'], 'infra_error');
        const [masked, ...others] = score([outage, ...group]);
        expect(masked).toMatchObject({ masked: true, terms: {}, reward: 0 });
        expect(others).toEqual(score(group));
      }),
    );
  });

  it('has one entry a turn', () => {
    fc.assert(
      fc.property(anyGroup, (group) =>
        score(group).every(({ turnRewards }, index) => turnRewards.length === group[index]?.episode.turns.length),
      ),
    );
  });
});

it('a group of outages alone has the accuracy 0', () => {
  expect(groupAccuracy([member([], 'infra_error'), member([], 'judge_failed')])).toBe(0);
});
