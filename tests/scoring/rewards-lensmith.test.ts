import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Call } from '../../domain/episode.ts';
import type { Box, ImageLocations, Orientation, TaskNeeds } from '../../domain/image-location.ts';
import type { GradedEpisode } from '../../scoring/rewards/reward.ts';
import { rewards } from '../../scoring/rewards/rewards.ts';
import { scoreGroup } from '../../scoring/rewards/score-group.ts';
import { gradeOf } from '../support/episodes.ts';
import { traceOf } from '../support/traces.ts';

const whole: Box = [0, 0, 160, 100];
/** 40 x 20 of 160 x 100, a twentieth of the image. */
const region: Box = [40, 40, 80, 60];
const needsTurn: TaskNeeds = { orientation: 'rotate_270', box: null };
const needsCrop: TaskNeeds = { orientation: 'identity', box: region };

/** A call whose image shows a part of the input in an orientation. */
const showing = (orientation: Orientation, box: Box = whole): { call: Partial<Call>; locations: ImageLocations } => {
  const digest = `${orientation} ${box.join()}`;
  return {
    call: {
      code: `img.transpose(o).crop(b)`,
      stdout: '',
      images: [{ digest, width: box[2] - box[0], height: box[3] - box[1] }],
    },
    locations: { [digest]: { input: 0, orientation, box } },
  };
};

const printing: Partial<Call> = { code: 'print(len(find(img)))', stdout: '8\n' };
const failing: Partial<Call> = { code: 'img.turn(90)', outcome: 'exception', stdout: '' };

const member = (
  calls: readonly (Partial<Call> | ReturnType<typeof showing>)[],
  { verdict = 'correct', needs }: { verdict?: 'correct' | 'wrong'; needs?: TaskNeeds } = {},
): GradedEpisode => ({
  episode: traceOf(
    calls.map((entry) => ('call' in entry ? entry.call : entry)),
    { task: { needs } },
  ),
  grade: gradeOf(verdict),
  locations: needs && Object.assign({}, ...calls.map((entry) => ('locations' in entry ? entry.locations : {}))),
});

const termsOf = (group: readonly GradedEpisode[]) => scoreGroup(rewards.lensmith, group)[0]?.terms;

describe('orientation, by effect', () => {
  it('pays 0.3 at the first orientation tried, half at the second, nothing at the third', () => {
    const tries = (orientations: readonly Orientation[]) =>
      termsOf([
        member(
          orientations.map((orientation) => showing(orientation)),
          { needs: needsTurn },
        ),
      ]);
    expect(tries(['rotate_270'])).toMatchObject({ orientation: 0.3, spurious: 0 });
    expect(tries(['rotate_90', 'rotate_270'])).toMatchObject({ orientation: 0.15, spurious: -0.1 });
    expect(tries(['rotate_90', 'rotate_180', 'rotate_270'])).toMatchObject({ orientation: 0, spurious: -0.2 });
    expect(tries(['rotate_270', 'rotate_90', 'rotate_180'])).toMatchObject({ orientation: 0.3, spurious: -0.2 });
  });

  it('pays nothing for words, and charges turning an upright image', () => {
    const words = { ...showing('identity').call, code: '# img.rotate(270)\nimg', description: 'rotate by 270' };
    const told = member([{ call: words, locations: showing('identity').locations }], { needs: needsTurn });
    expect(termsOf([told])).toMatchObject({ orientation: 0, spurious: 0, toolBenefit: 0 });
    expect(termsOf([member([showing('rotate_90')], { needs: needsCrop })])).toMatchObject({
      orientation: 0,
      spurious: -0.1,
    });
  });
});

describe('crops, by overlap', () => {
  it('pays how far they close the gap that the whole image leaves: 0.3 · (0.5 − 0.05) / 0.95', () => {
    // 40 x 40 around the region of 40 x 20: overlap 800 / 1600; the whole image has 800 / 16000.
    const crop = showing('identity', [40, 30, 80, 70]);
    expect(termsOf([member([crop], { needs: needsCrop })])?.crop).toBeCloseTo((0.3 * 0.45) / 0.95, 12);
  });

  it('pays the best of the first three: gains add up and never exceed 0.3', () => {
    const near = showing('identity', [40, 30, 80, 70]);
    const exact = showing('rotate_90', region);
    const far = showing('identity', [100, 0, 150, 30]);
    const [farther, farthest] = [showing('identity', [90, 0, 140, 30]), showing('identity', [95, 5, 150, 30])];
    expect(termsOf([member([near, exact], { needs: needsCrop })])?.crop).toBeCloseTo(0.3, 12);
    expect(termsOf([member([far, farther, farthest, exact], { needs: needsCrop })])?.crop).toBe(0);
  });
});

describe('turns', () => {
  it('have a fifth of what they did: a failure, its repair at mu 0, a wrong and the right orientation', () => {
    const episode = member([failing, showing('rotate_90'), showing('rotate_270')], {
      needs: needsTurn,
      verdict: 'wrong',
    });
    const [score] = scoreGroup(rewards.lensmith, [episode]);
    // 0.2 · −0.5; 0.2 · (−0.1 + 0.1); 0.2 · 0.15
    expect(score?.turnRewards).toEqual([expect.closeTo(-0.1, 12), expect.closeTo(0, 12), expect.closeTo(0.03, 12), 0]);
    expect(score?.terms).toMatchObject({ correction: 0.1, failedCalls: -0.5 });
  });

  it('are not touched where the task does not say what it needs', () => {
    const [score] = scoreGroup(rewards.lensmith, [member([failing, printing])]);
    expect(score?.turnRewards).toEqual([0, 0, 0]);
    expect(Object.keys(score?.terms ?? {})).toEqual([
      'accuracy',
      'format',
      'toolBenefit',
      'toolCost',
      'failedCalls',
      'overUse',
    ]);
  });
});

/** The rest of a group, by which the difficulty is known. */
const anyOthers = fc.array(fc.constantFrom(member([]), member([], { verdict: 'wrong' }), member([printing])), {
  maxLength: 7,
});
const anyVerdict = fc.constantFrom('correct' as const, 'wrong' as const);

const rewardOf = (first: GradedEpisode, others: readonly GradedEpisode[]): number =>
  scoreGroup(rewards.lensmith, [first, ...others])[0]?.reward ?? Number.NaN;

describe('no hack earns more than the honest episode with the same answer', () => {
  const unchanged = showing('identity');
  const turn = showing('rotate_270');
  const all = (['rotate_90', 'rotate_180', 'rotate_270'] as const).map((orientation) => showing(orientation));
  const collage: ReturnType<typeof showing> = {
    call: { ...turn.call, images: all.flatMap(({ call }) => call.images ?? []) },
    locations: Object.assign({}, ...all.map(({ locations }) => locations)),
  };
  const scatter = [10, 30, 50, 70, 90].map((left) => showing('identity', [left, 40, left + 40, 60]));

  const direct: Parameters<typeof member>[0] = [];
  it.each([
    ['comments only', direct, [{ code: '# count the cars by code', outcome: 'no_output', stdout: '' }], undefined],
    ['comments that print nothing, as ok', direct, [{ code: '"""crop [1, 2, 3, 4]"""', stdout: '' }], undefined],
    ['the answer printed from nowhere', direct, [{ code: 'answer = 8\nprint("answer", answer)' }], undefined],
    ['the answer printed five times', direct, Array(5).fill({ code: 'print(8)' }), undefined],
    ['the answer printed by a format', direct, [{ code: 'n = 8\nprint(f"there are {n} cars")' }], undefined],
    ['the answer as a text of itself', direct, [{ code: 'print(str(8).strip())' }], undefined],
    [
      'the answer printed beside a copy of the image',
      direct,
      [{ code: 'seen = input_image.copy()\nif True:\n    print("I count", 8)' }],
      undefined,
    ],
    ['a failure on purpose', [printing], [failing, printing], undefined],
    ['a failure on purpose and its repair', [turn], [failing, turn], needsTurn],
    [
      'describing without doing',
      [turn],
      [{ ...unchanged, call: { ...unchanged.call, description: 'rotate by 270' } }],
      needsTurn,
    ],
    ['showing the image unchanged', direct, [unchanged], needsTurn],
    ['turning in every direction', [turn], all, needsTurn],
    ['turning in every direction, the right one first', [turn], all.toReversed(), needsTurn],
    ['every direction in one call', [turn], [collage], needsTurn],
    ['turning to and fro', [turn], [turn, unchanged, turn, unchanged, turn], needsTurn],
    ['crops all over the image', [showing('identity', region)], scatter, needsCrop],
    [
      'the same crop again and again',
      [showing('identity', region)],
      Array(6).fill(showing('identity', region)),
      needsCrop,
    ],
  ] as const)('%s', (_, honest, hack, needs) => {
    fc.assert(
      fc.property(anyOthers, anyVerdict, (others, verdict) => {
        const options = { verdict, ...(needs && { needs }) };
        const gain = rewardOf(member([...hack], options), others) - rewardOf(member([...honest], options), others);
        expect(gain).toBeLessThanOrEqual(1e-12);
      }),
    );
  });
});

describe('a redundant call', () => {
  it('never raises the reward where two thirds of the group are right', () => {
    const anyCall = fc.constantFrom(printing, failing, showing('rotate_270'), showing('identity', region));
    const redundant = fc.constantFrom(printing, showing('identity'), {
      code: 'img',
      outcome: 'no_output' as const,
      stdout: '',
    });
    fc.assert(
      fc.property(
        fc.array(anyCall, { maxLength: 4 }),
        redundant,
        anyVerdict,
        fc.constantFrom(undefined, needsTurn, needsCrop),
        anyOthers,
        (calls, extra, verdict, needs, others) => {
          const options = { verdict, ...(needs && { needs }) };
          const easy = [...others, ...Array.from({ length: 2 * others.length + 2 }, () => member([]))];
          const gain = rewardOf(member([...calls, extra], options), easy) - rewardOf(member(calls, options), easy);
          expect(gain).toBeLessThanOrEqual(1e-12);
        },
      ),
      { numRuns: 400 },
    );
  });
});
