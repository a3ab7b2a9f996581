import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { faultsOfRun } from './check-run.ts';
import { runUnderFaults } from './disturbed-run.ts';
import type { Fault } from './fault.ts';
import { type OpenStack, openStack } from './open-stack.ts';
import { shortChanges, shortSizes } from './sizes.ts';

const limitMs = 10 * 60_000;

/** One for each stage, and of each plane; `scripts/chaos` has all the others. */
const faults: readonly Fault[] = [
  { stage: 'sft', component: 'host worker', kind: 'kill', afterMs: 0, lastsMs: 0 },
  { stage: 'rl', component: 'RL driver', kind: 'kill', afterMs: 0, lastsMs: 0 },
  { stage: 'rl', component: 'control worker', kind: 'pause', afterMs: 0, lastsMs: 4000 },
  { stage: 'benchmark-suite', component: 'Temporal server', kind: 'kill', afterMs: 0, lastsMs: 0 },
];

let stack: OpenStack;
beforeAll(async () => {
  stack = await openStack();
}, 600_000);
afterAll(async () => {
  await stack?.close();
}, 400_000);

// What a first try leaves would only be in the way of a second.
describe('a run whose parts are killed and stopped, one after the other', { retry: 0 }, () => {
  it(
    'ends as if nothing had happened',
    async () => {
      const run = { run: 'chaos', seed: 11, faults, changes: shortChanges, limitMs, say: () => undefined };
      const done = await runUnderFaults(stack, run);
      expect(await faultsOfRun(stack, done, shortSizes)).toEqual([]);
      expect(done.faults.filter(({ met }) => met).length).toBeGreaterThan(0);
    },
    2 * limitMs,
  );

  it('leaves nothing behind', async () => {
    expect(await stack.close()).toEqual([]);
  }, 400_000);
});
