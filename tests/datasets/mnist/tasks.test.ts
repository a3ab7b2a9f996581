import { beforeAll, describe, expect, it } from 'vitest';
import { captionRows } from '../../../datasets/mnist/captions.ts';
import { type DigitPool, digitRanges, orientedDigits, readDigitPools } from '../../../datasets/mnist/digit-pools.ts';
import { openDraw } from '../../../datasets/mnist/draw.ts';
import { mnistDirectory } from '../../../datasets/mnist/mnist-files.ts';
import { rotate } from '../../../datasets/mnist/raster.ts';
import { countTask, evenTasks, mixedTasks, orientTask, sumTask } from '../../../datasets/mnist/tasks.ts';
import { countBy } from '../../../evaluation/sample-outcome.ts';

let pool: DigitPool;
beforeAll(async () => {
  pool = (await readDigitPools(mnistDirectory())).sft;
});

describe('digit ranges', () => {
  it('do not overlap', () => {
    const ranges = Object.values(digitRanges);
    for (const [index, a] of ranges.entries())
      for (const b of ranges.slice(index + 1)) expect(a.part !== b.part || a.to <= b.from || b.to <= a.from).toBe(true);
  });

  it('the pools hold the digits of their range, by position and by label', async () => {
    const pools = await readDigitPools(mnistDirectory());
    for (const [split, { from, to }] of Object.entries(digitRanges))
      expect(pools[split as keyof typeof pools].size).toBe(to - from);
    const labels = Array.from({ length: 10 }, (_, label) => pool.labelled(label));
    expect(labels.reduce((sum, positions) => sum + positions.length, 0)).toBe(pool.size);
    for (const [label, positions] of labels.entries())
      expect(positions.every((position) => pool.at(position).label === label)).toBe(true);
  });
});

describe('tasks', () => {
  it('orient: the digit of the pool, turned counter-clockwise, and an answer that is its label', () => {
    const draw = openDraw(1, 'orient');
    for (const turn of [0, 90, 180, 270] as const) {
      const task = orientTask(pool, draw, turn);
      const upright = Buffer.from(rotate(task.image, 360 - turn).pixels);
      const sources = pool.labelled(Number(task.answer)).map((position) => pool.at(position).image.pixels);
      expect(orientedDigits).toContain(Number(task.answer));
      expect(task.transform).toBe(turn === 0 ? 'identity' : `rotate_${turn}`);
      expect(sources.some((pixels) => upright.equals(pixels))).toBe(true);
    }
  });

  it('sum: as many digits as the picture is wide, and their sum', () => {
    const draw = openDraw(1, 'sum');
    for (let index = 0; index < 40; index += 1) {
      const task = sumTask(pool, draw);
      expect([2, 3]).toContain(task.digits.length);
      expect(task.image).toMatchObject({ width: 28 * task.digits.length, height: 28 });
      expect(task.digits.reduce((sum, digit) => sum + digit, 0)).toBe(Number(task.answer));
    }
  });

  it('count: three digits, of which the asked one stands as often as the answer says', () => {
    const draw = openDraw(1, 'count');
    const tasks = Array.from({ length: 400 }, () => countTask(pool, draw));
    for (const task of tasks) {
      const asked = Number(/How many (\d)s are there\?/.exec(task.question)?.[1]);
      expect(task.digits).toHaveLength(3);
      expect(task.digits.filter((digit) => digit === asked).length).toBe(Number(task.answer));
    }
    const answers = countBy(tasks.map(({ answer }) => answer));
    // Five standard deviations around a quarter of 400.
    for (const answer of ['0', '1', '2', '3']) expect(Math.abs((answers[answer] ?? 0) - 100)).toBeLessThan(44);
  });
});

describe('mixes', () => {
  const families = (tasks: ReturnType<typeof mixedTasks>) => countBy(tasks.map(({ family }) => family));
  const transforms = (tasks: ReturnType<typeof mixedTasks>) => countBy(tasks.map(({ transform }) => transform));

  it('mixed: half orientation with its turns equally often, a quarter sums, a quarter counts', () => {
    const tasks = mixedTasks(pool, openDraw(1, 'mixed'), 96);
    expect(families(tasks)).toEqual({ orient: 48, sum: 24, count: 24 });
    expect(transforms(tasks.filter(({ family }) => family === 'orient'))).toEqual({
      identity: 12,
      rotate_90: 12,
      rotate_180: 12,
      rotate_270: 12,
    });
  });

  it('even: equally many of upright, each rotation, sum and count', () => {
    const tasks = evenTasks(pool, openDraw(1, 'even'), 60);
    expect(families(tasks)).toEqual({ orient: 40, sum: 10, count: 10 });
    expect(transforms(tasks)).toEqual({ identity: 30, rotate_90: 10, rotate_180: 10, rotate_270: 10 });
  });
});

describe('captions', () => {
  const kindOf = (user: string, reply: string): string => {
    if (reply.startsWith('turned')) return 'turn';
    if (reply.startsWith('digits')) return 'row';
    return user.startsWith('<image>') ? 'answer' : 'echo';
  };

  it('are 64 turned digits, 48 rows, 24 direct answers and 16 echoes in every 152', () => {
    const rows = [...captionRows(pool, openDraw(1, 'captions'), 304)];
    for (const part of [rows.slice(0, 152), rows.slice(152)])
      expect(
        countBy(part.map(({ messages }) => kindOf(messages[0]?.content ?? '', messages[1]?.content ?? ''))),
      ).toEqual({ turn: 64, row: 48, answer: 24, echo: 16 });
  });

  it('are one turn each, with an image where the user shows one, and never code', () => {
    for (const { messages, images } of captionRows(pool, openDraw(2, 'captions'), 304)) {
      expect(messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
      expect(images).toHaveLength(messages[0]?.content.startsWith('<image>') ? 1 : 0);
      expect(messages[1]?.content).not.toContain('<code>');
    }
  });

  it('name the digit only of a picture that is upright', () => {
    for (const { messages } of captionRows(pool, openDraw(3, 'captions'), 304)) {
      const [, turn, digit] = /^turned (\d+)(?: digits (\d))?$/.exec(messages[1]?.content ?? '') ?? [];
      if (turn !== undefined) expect(digit !== undefined).toBe(turn === '0');
    }
  });
});
