import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../domain/episode.ts';
import { orientations } from '../../domain/image-location.ts';
import { callOutcomes } from '../../domain/sandbox.ts';
import { rewardNames } from '../../domain/score.ts';
import { verdicts } from '../../domain/verdict.ts';
import type { GradedEpisode } from '../../scoring/rewards/reward.ts';
import { rewards } from '../../scoring/rewards/rewards.ts';
import { explainGroups, scoreGroup, scoreGroups } from '../../scoring/rewards/score-group.ts';
import { gradeOf } from '../support/episodes.ts';
import { traceOf } from '../support/traces.ts';

const anyBox = fc
  .tuple(
    fc.integer({ min: 0, max: 100 }),
    fc.integer({ min: 0, max: 60 }),
    fc.integer({ min: 1, max: 60 }),
    fc.integer({ min: 1, max: 40 }),
  )
  .map(([left, top, width, height]): [number, number, number, number] => [left, top, left + width, top + height]);

const anyOrientation = fc.constantFrom(...orientations);
const anyCode = fc.constantFrom(
  'img.rotate(90)',
  'img.rotate(270).crop((1, 2, 30, 40))',
  '# nothing',
  'print(8)',
  'print("Error")',
  'img.resize((9, 9)); ImageOps.mirror(img)',
);

const anyCall: fc.Arbitrary<Partial<Call>> = fc
  .tuple(
    fc.constantFrom(...callOutcomes),
    anyCode,
    fc.constantFrom('', '8\n', 'timeout\n'),
    fc.subarray(['a', 'b', 'c']),
  )
  .map(([outcome, code, stdout, images]) => ({
    outcome,
    code,
    stdout,
    images: images.map((digest) => ({ digest, width: 10, height: 10 })),
  }));

const anyLocations = fc.option(
  fc.dictionary(
    fc.constantFrom('a', 'b', 'c'),
    fc.option(fc.record({ input: fc.constant(0), orientation: anyOrientation, box: anyBox })),
  ),
  { nil: undefined },
);

const anyNeeds = fc.option(fc.record({ orientation: fc.option(anyOrientation), box: fc.option(anyBox) }), {
  nil: undefined,
});
const anyTransform = fc.constantFrom('identity', 'rotate_90', 'crop+rotate_180', 'flip_horizontal', 'blur');

/** Groups that share a task, as the wire demands. */
const anyGroup: fc.Arbitrary<GradedEpisode[]> = fc
  .tuple(anyNeeds, anyTransform, fc.constantFrom('vstar', 'xince'))
  .chain(([needs, transform, dataSource]) =>
    fc.array(
      fc
        .tuple(
          fc.array(anyCall, { maxLength: 6 }),
          fc.constantFrom(...verdicts),
          anyLocations,
          fc.constantFrom('8', 'x'.repeat(1200), null),
        )
        .map(([calls, verdict, locations, answer]) => ({
          episode: traceOf(calls, { answer, task: { needs, transform, dataSource } }),
          grade: gradeOf(verdict),
          locations,
        })),
      { minLength: 1, maxLength: 6 },
    ),
  );

const outage = (group: readonly GradedEpisode[]): GradedEpisode => ({
  episode: group[0]?.episode ?? traceOf([]),
  grade: gradeOf('infra_error'),
});

describe.each(rewardNames)('%s', (name) => {
  const reward = rewards[name];
  const score = (group: readonly GradedEpisode[]) => scoreGroup(reward, group);

  it('is the sum of its terms; each is described and stays in its range, and has a reason', () => {
    fc.assert(
      fc.property(anyGroup, (group) => {
        for (const { terms, reasons, reward: sum } of explainGroups(reward, [group])[0] ?? []) {
          for (const [term, value] of Object.entries(terms)) {
            const [least, most] = reward.terms[term]?.range ?? [Number.NaN, Number.NaN];
            expect(value).toBeGreaterThanOrEqual(least);
            expect(value).toBeLessThanOrEqual(most);
            expect(reasons[term]).toMatch(/\S/);
          }
          expect(sum).toBeCloseTo(
            Object.values(terms).reduce((total, value) => total + value, 0),
            12,
          );
        }
      }),
    );
  });

  it('does not depend on the order of a group', () => {
    fc.assert(
      fc.property(
        anyGroup.chain((group) =>
          fc.tuple(fc.constant(group), fc.shuffledSubarray([...group.keys()], { minLength: group.length })),
        ),
        ([group, order]) => {
          const straight = score(group);
          const shuffled = score(order.map((index) => group[index]).filter((member) => member !== undefined));
          expect(shuffled).toEqual(order.map((index) => straight[index]));
        },
      ),
    );
  });

  it('masks outages, and masking changes no other episode of the group or the batch', () => {
    fc.assert(
      fc.property(anyGroup, anyGroup, fc.nat(6), (group, next, place) => {
        const [plain, after] = scoreGroups(reward, [group, next]);
        const at = Math.min(place, group.length);
        const [mixed, afterMixed] = scoreGroups(reward, [
          [...group.slice(0, at), outage(group), ...group.slice(at)],
          next,
        ]);
        const [masked] = mixed?.splice(at, 1) ?? [];
        expect(masked).toMatchObject({ masked: true, terms: {}, reward: 0 });
        expect(masked?.turnRewards.every((value) => value === 0)).toBe(true);
        expect(mixed).toEqual(plain);
        expect(afterMixed).toEqual(after);
      }),
    );
  });

  it('has one finite value a turn', () => {
    fc.assert(
      fc.property(anyGroup, (group) => {
        score(group).forEach(({ turnRewards }, index) => {
          expect(turnRewards).toHaveLength(group[index]?.episode.turns.length ?? -1);
          expect(turnRewards.every(Number.isFinite)).toBe(true);
        });
      }),
    );
  });

  it('scores a group of outages alone as masked', () => {
    expect(score([outage([]), outage([])]).map(({ masked }) => masked)).toEqual([true, true]);
  });
});
