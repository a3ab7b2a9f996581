import { fileURLToPath } from 'node:url';
import type { MathWorker, MathWorkerOptions } from '../../scoring/rules/math-comparison.ts';
import { createMathWorker } from '../../scoring/rules/math-worker.ts';

export const python = process.env.LENSMITH_PYTHON ?? fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));

export const testMathWorker = (options: Partial<MathWorkerOptions> = {}): MathWorker =>
  createMathWorker({ python, compareMs: 20_000, ...options });
