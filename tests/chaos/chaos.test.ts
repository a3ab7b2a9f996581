import { afterAll, beforeAll, expect, it } from 'vitest';
import { faultsOfRun } from './check-run.ts';
import { runUnderFaults } from './disturbed-run.ts';
import { drawFaults } from './draw-faults.ts';
import { type OpenStack, openStack } from './open-stack.ts';
import { chaosChanges, chaosSizes } from './sizes.ts';

const limitMs = 10 * 60_000;

let stack: OpenStack;
beforeAll(async () => {
  stack = await openStack();
}, 180_000);
afterAll(async () => {
  await stack?.close();
}, 180_000);

it(
  'a run whose parts are killed and stopped, one in each stage, ends as if nothing had happened',
  async () => {
    // The same faults in every run of the test: `scripts/chaos` draws others.
    const [faults = []] = drawFaults(12, 11, ['kill', 'pause']).sort((a, b) => b.length - a.length);
    const done = await runUnderFaults(stack, {
      run: 'chaos',
      seed: 11,
      faults,
      changes: [...chaosChanges, 'judge.engine=none'],
      limitMs,
      say: () => undefined,
    });
    expect(done.faults.filter(({ met }) => met).length).toBeGreaterThan(0);
    expect(await faultsOfRun(done, chaosSizes)).toEqual([]);
  },
  limitMs + 60_000,
);

it('leaves nothing behind', { timeout: 180_000, retry: 0 }, async () => {
  expect(await stack.close()).toEqual([]);
});
