import type { DigitPool } from './digit-pools.ts';
import { orientedDigits } from './digit-pools.ts';
import type { Draw } from './draw.ts';
import { type Raster, rotate, row } from './raster.ts';

export const turns = [0, 90, 180, 270] as const;
export type Turn = (typeof turns)[number];

/** A question about an image of digits, with what is needed to solve it by code. */
export interface DigitTask {
  readonly family: 'orient' | 'sum' | 'count';
  /** `identity`, or `rotate_<degrees>` counter-clockwise. */
  readonly transform: string;
  readonly image: Raster;
  readonly question: string;
  readonly answer: string;
  readonly turn: Turn;
  /** The digits of the image from left to right. */
  readonly digits: readonly number[];
  /** The digit that a `count` task asks for. */
  readonly counted: number | null;
}

/** One digit, turned counter-clockwise: it can be read reliably only after it is turned back. */
export const orientTask = (pool: DigitPool, draw: Draw, turn: Turn = draw.pick(turns)): DigitTask => {
  const label = draw.pick(orientedDigits);
  const { image } = pool.at(draw.pick(pool.labelled(label)));
  return {
    family: 'orient',
    transform: turn === 0 ? 'identity' : `rotate_${turn}`,
    image: rotate(image, turn),
    question: 'Which digit is this?',
    answer: String(label),
    turn,
    digits: [label],
    counted: null,
  };
};

/** A row of two or three digits to add. */
export const sumTask = (pool: DigitPool, draw: Draw): DigitTask => {
  const digits = Array.from({ length: 2 + draw.below(2) }, () => pool.at(draw.below(pool.size)));
  const labels = digits.map(({ label }) => label);
  return {
    family: 'sum',
    transform: 'identity',
    image: row(digits.map(({ image }) => image)),
    question: 'What is the sum of the digits?',
    answer: String(labels.reduce((sum, label) => sum + label, 0)),
    turn: 0,
    digits: labels,
    counted: null,
  };
};

/** A row of three digits in which one is counted; every count from 0 to 3 is as likely. */
export const countTask = (pool: DigitPool, draw: Draw): DigitTask => {
  const counted = draw.below(10);
  const times = draw.below(4);
  const others = Array.from({ length: 3 - times }, () => (counted + 1 + draw.below(9)) % 10);
  const labels = draw.shuffle([...Array.from({ length: times }, () => counted), ...others]);
  return {
    family: 'count',
    transform: 'identity',
    image: row(labels.map((label) => pool.at(draw.pick(pool.labelled(label))).image)),
    question: `How many ${counted}s are there?`,
    answer: String(times),
    turn: 0,
    digits: labels,
    counted,
  };
};

const makers = { orient: orientTask, sum: sumTask, count: countTask };

/** Half orientation, a quarter sums, a quarter counts; the turns come equally often. */
export const mixedTasks = (pool: DigitPool, draw: Draw, count: number): DigitTask[] => {
  const families = ['orient', 'sum', 'orient', 'count'] as const;
  let oriented = 0;
  const tasks = Array.from({ length: count }, (_, index) => {
    const family = families[index % families.length] ?? 'orient';
    return family === 'orient'
      ? orientTask(pool, draw, turns[oriented++ % turns.length] ?? 0)
      : makers[family](pool, draw);
  });
  return draw.shuffle(tasks);
};

/** Equally many of upright, each rotation, sum and count. */
export const evenTasks = (pool: DigitPool, draw: Draw, count: number): DigitTask[] =>
  Array.from({ length: count }, (_, index) => {
    const slot = index % 6;
    const turn = turns[slot];
    return turn !== undefined ? orientTask(pool, draw, turn) : slot === 4 ? sumTask(pool, draw) : countTask(pool, draw);
  });
