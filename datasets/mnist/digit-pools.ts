import { LensmithError } from '../../domain/errors.ts';
import { readIdx } from '../read-idx.ts';
import { mnistFiles } from './mnist-files.ts';
import type { Raster } from './raster.ts';

/** Which digits each split draws from: `[from, to)` of the training or the test files. No two overlap. */
export const digitRanges = {
  captions: { part: 'train', from: 0, to: 46_000 },
  sft: { part: 'train', from: 46_000, to: 50_000 },
  rl: { part: 'train', from: 50_000, to: 58_000 },
  validation: { part: 'train', from: 58_000, to: 60_000 },
  test: { part: 'test', from: 0, to: 10_000 },
} as const;
export type Split = keyof typeof digitRanges;
export const splits = Object.keys(digitRanges) as Split[];

/** Digits whose upright position cannot be mistaken. */
export const orientedDigits: readonly number[] = [2, 3, 4, 5, 7];

export interface Digit {
  readonly image: Raster;
  readonly label: number;
}

/** The digits of one split, by position and by label. */
export interface DigitPool {
  readonly size: number;
  readonly at: (index: number) => Digit;
  /** Positions of the digits with a label. */
  readonly labelled: (label: number) => readonly number[];
}

const side = 28;

const poolOf = (images: Uint8Array, labels: Uint8Array, from: number, to: number): DigitPool => {
  const byLabel = new Map<number, number[]>();
  for (let index = from; index < to; index += 1) {
    const label = labels[index] ?? -1;
    const known = byLabel.get(label);
    if (known) known.push(index - from);
    else byLabel.set(label, [index - from]);
  }
  return {
    size: to - from,
    at: (index) => {
      const start = (from + index) * side * side;
      return {
        image: { width: side, height: side, pixels: images.subarray(start, start + side * side) },
        label: labels[from + index] ?? -1,
      };
    },
    labelled: (label) => byLabel.get(label) ?? [],
  };
};

/**
 * Reads MNIST and divides its digits among the splits.
 *
 * @throws LensmithError `data` where a file is missing, torn, or has fewer digits than the splits need.
 */
export const readDigitPools = async (directory: string): Promise<Readonly<Record<Split, DigitPool>>> => {
  const files = mnistFiles(directory);
  const read = async (imagesFile: string, labelsFile: string) => {
    const [images, labels] = await Promise.all([readIdx(imagesFile, 3), readIdx(labelsFile, 1)]);
    if (images.shape[1] !== side || images.shape[2] !== side || images.shape[0] !== labels.shape[0])
      throw new LensmithError('data', `expected as many 28×28 images as labels, got ${images.shape.join('×')}`, {
        where: imagesFile,
      });
    return { images: images.data, labels: labels.data, path: imagesFile };
  };
  const parts = {
    train: await read(files.trainImages, files.trainLabels),
    test: await read(files.testImages, files.testLabels),
  };
  const pool = (split: Split): DigitPool => {
    const { part, from, to } = digitRanges[split];
    const { images, labels, path } = parts[part];
    if (labels.length < to)
      throw new LensmithError('data', `expected at least ${to} digits, got ${labels.length}`, { where: path });
    return poolOf(images, labels, from, to);
  };
  return {
    captions: pool('captions'),
    sft: pool('sft'),
    rl: pool('rl'),
    validation: pool('validation'),
    test: pool('test'),
  };
};
