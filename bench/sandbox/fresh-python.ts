import { execa } from 'execa';
import { expectPrinted, firstCode, type Subject } from './subject.ts';

/** A Python process for each piece of code, as the simplest executors have it; no isolation. */
export const freshPython = (python: string): Subject => ({
  name: 'python -c',
  slow: true,
  close: () => Promise.resolve(),
  open: async () => {
    const started = performance.now();
    const { stdout } = await execa(python, ['-c', firstCode], { timeout: 60_000 });
    expectPrinted('python -c', stdout);
    return { openMs: performance.now() - started, close: () => Promise.resolve() };
  },
});
