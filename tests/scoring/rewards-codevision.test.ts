import { describe, expect, it } from 'vitest';
import type { Call, Task } from '../../domain/episode.ts';
import type { Box, ImageLocations, Orientation } from '../../domain/image-location.ts';
import { rewards } from '../../scoring/rewards/rewards.ts';
import { scoreGroup } from '../../scoring/rewards/score-group.ts';
import { gradeOf } from '../support/episodes.ts';
import { traceOf } from '../support/traces.ts';

interface Case {
  readonly task?: Partial<Task>;
  readonly locations?: ImageLocations;
  readonly verdict?: 'correct' | 'wrong';
}

const member = (calls: readonly Partial<Call>[], { task = {}, locations, verdict = 'correct' }: Case = {}) => ({
  episode: traceOf(calls, { task }),
  grade: gradeOf(verdict),
  locations,
});

const released = (...of: Parameters<typeof member>) => scoreGroup(rewards['codevision-released'], [member(...of)])[0];
const paper = (...of: Parameters<typeof member>) => scoreGroup(rewards['codevision-paper'], [member(...of)])[0];

const turned: Case = { task: { transform: 'rotate_90' } };
/** 160 x 100 shown; the answer stands in 40 x 20 of it. */
const region: Box = [40, 40, 80, 60];
const cropped: Case = { task: { transform: 'crop+rotate_90', needs: { orientation: 'rotate_270', box: region } } };

const image = (digest: string) => ({ digest, width: 40, height: 20 });
const shows = (digest: string, orientation: Orientation, box: Box): ImageLocations => ({
  [digest]: { input: 0, orientation, box },
});

describe('codevision-released', () => {
  it('pays the inverse of what was done: 1 + 0.1 + 1 + 0.1', () => {
    expect(released([{ code: 'result = img.rotate(270, expand=True)' }], turned)?.terms).toEqual({
      accuracy: 1,
      format: 0.1,
      mandatory: 1,
      exact: 0.1,
      emerging: 0,
      usage: 0,
      spurious: 0,
    });
  });

  it.each([
    ['img.rotate(-90)', 1],
    ['img.rotate(180 + 90)', 1],
    ['img.transpose(Image.ROTATE_270)', 1],
    ['img.transpose(Image.Transpose.ROTATE_270)', 0],
    ['np.rot90(pixels, k=3)', 1],
    ['cv2.rotate(pixels, cv2.ROTATE_90_CLOCKWISE)', 1],
    ['img.rotate(90)', 0],
    ['img.rotate(angle)', 0],
  ])('reads the operation from the text of %s: %d', (code, mandatory) => {
    expect(released([{ code }], turned)?.terms.mandatory).toBe(mandatory);
  });

  it('pays also where the call failed, and believes a description', () => {
    expect(released([{ code: 'img.rotate(270)', outcome: 'exception' }], turned)?.terms.mandatory).toBe(1);
    const described = { code: 'result = img', description: 'crop [40, 40, 80, 60] and look' };
    expect(
      released([described], { task: { transform: 'crop', needs: { orientation: null, box: region } } })?.terms
        .mandatory,
    ).toBe(1);
  });

  it('adds the best overlap of a named crop: (1 + ½) / 2', () => {
    // 40 x 40 around the region of 40 x 20: 800 of 1600.
    const code = 'x, y = 40, 30\nresult = img.rotate(270).crop((x, y, x + 40, y + 40))';
    expect(released([{ code }], cropped)?.terms).toMatchObject({ mandatory: 0.75, exact: 0.1, accuracy: 1 });
  });

  it('takes the answer with it where a required crop was missed: 1 · 0', () => {
    expect(
      released([], { task: { transform: 'crop', needs: { orientation: null, box: region } } })?.terms.accuracy,
    ).toBe(0);
    // One of two operations is half of them, and half is enough to keep the answer.
    expect(released([{ code: 'img.rotate(270)' }], cropped)?.terms).toMatchObject({ accuracy: 1, mandatory: 0.5 });
  });

  it('charges a half for each call beyond max(2, N), without a bound of its own', () => {
    const calls = Array.from({ length: 5 }, () => ({ code: 'img.rotate(270)' }));
    expect(released(calls, turned)?.terms.usage).toBe(-1.5);
    expect(released(calls.slice(0, 2), turned)?.terms.usage).toBe(0);
  });

  it('charges a half for each orientation where none is required, and pays any other operation', () => {
    const code = 'a = img.rotate(90); b = img.rotate(180); c = img.resize((200, 200))';
    expect(released([{ code }])?.terms).toMatchObject({ spurious: -1, emerging: 0.2, mandatory: 0 });
    expect(released([{ code }], { verdict: 'wrong' })?.terms.emerging).toBe(0);
  });

  it('does not charge for trying all directions where one is required', () => {
    const code = 'a = img.rotate(90); b = img.rotate(180); c = img.rotate(270)';
    expect(released([{ code }], turned)?.terms).toMatchObject({ mandatory: 1, exact: 0, spurious: 0 });
  });

  it('gives no format without thoughts', () => {
    const episode = traceOf([]);
    const bare = { ...episode, turns: episode.turns.map((turn) => ({ ...turn, text: '<answer>8</answer>' })) };
    const [score] = scoreGroup(rewards['codevision-released'], [{ episode: bare, grade: gradeOf('correct') }]);
    expect(score?.terms.format).toBe(0);
  });
});

describe('codevision-paper', () => {
  it('by code where no pixels are known: 1 + 0.1 + 1 + 0.1', () => {
    expect(paper([{ code: 'img.rotate(270)' }], turned)?.reward).toBeCloseTo(2.2, 12);
    expect(paper([{ code: 'img.rotate(270)', outcome: 'exception' }], turned)?.terms.required).toBe(0);
  });

  it('by pixels where they are: two flips are half a turn, and words are nothing', () => {
    const task = { transform: 'rotate_180' };
    const flips = { code: 'ImageOps.flip(ImageOps.mirror(img))', images: [image('a')] };
    expect(paper([flips], { task, locations: shows('a', 'rotate_180', [0, 0, 160, 100]) })?.terms).toMatchObject({
      required: 1,
      exact: 0.1,
      inappropriate: 0,
    });
    const words = { code: 'img  # img.rotate(180)', description: 'rotate by 180', images: [image('a')] };
    expect(paper([words], { task, locations: shows('a', 'identity', [0, 0, 160, 100]) })?.terms.required).toBe(0);
  });

  it('pays a crop by its overlap in the frame of the shown image: (1 + ½) / 2', () => {
    const calls = [{ images: [image('a')] }, { images: [image('b')] }];
    const locations = {
      ...shows('a', 'rotate_270', [0, 0, 160, 100]),
      ...shows('b', 'rotate_270', [40, 30, 80, 70]),
    };
    expect(paper(calls, { ...cropped, locations })?.terms).toMatchObject({
      required: 0.75,
      exact: 0.1,
      poorReasoning: 0,
    });
  });

  it('charges a right answer whose crop missed the region', () => {
    const locations = shows('a', 'rotate_270', [100, 0, 140, 30]);
    expect(paper([{ images: [image('a')] }], { ...cropped, locations })?.terms).toMatchObject({
      required: 0.5,
      poorReasoning: -0.5,
    });
  });

  it('charges once, by a half, for more calls than N + 1 and for turning an upright image', () => {
    const calls = Array.from({ length: 5 }, () => ({ code: 'img.rotate(270)' }));
    expect(paper(calls, turned)?.terms.turnLimit).toBe(-0.5);
    expect(paper(calls.slice(0, 2), turned)?.terms.turnLimit).toBe(0);
    expect(paper([{ code: 'img.rotate(90)' }])?.terms.inappropriate).toBe(-0.5);
  });

  it('suggests tools by what they gain the group, unless two did without: 0.2 · (1 − 0)', () => {
    const using = member([{ code: 'print(1 + 7)' }]);
    const without = member([], { verdict: 'wrong' });
    expect(scoreGroup(rewards['codevision-paper'], [using, without])[0]?.terms.suggested).toBeCloseTo(0.2, 12);
    // One of three is right without: 1 − ⅓.
    const one = scoreGroup(rewards['codevision-paper'], [using, without, without, member([])]);
    expect(one[0]?.terms.suggested).toBeCloseTo(0.2 * (2 / 3), 12);
    const two = scoreGroup(rewards['codevision-paper'], [using, without, member([]), member([])]);
    expect(two[0]?.terms.suggested).toBe(0);
  });

  it('pays a right answer with an optional tool', () => {
    expect(paper([{ code: 'img.resize((300, 300))' }])?.terms.optional).toBe(0.2);
  });
});
