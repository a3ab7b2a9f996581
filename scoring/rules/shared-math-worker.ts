import { resolve } from 'node:path';
import type { MathWorker } from './math-comparison.ts';
import { createMathWorker } from './math-worker.ts';

let shared: MathWorker | undefined;

/** The worker of this process, on the Python that `LENSMITH_PYTHON` names, or that of the checkout. */
export const sharedMathWorker = (): MathWorker => {
  shared ??= createMathWorker({
    python: process.env.LENSMITH_PYTHON ?? resolve(import.meta.dirname, '../../.venv/bin/python'),
  });
  return shared;
};
