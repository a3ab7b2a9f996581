import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stageNames } from '../../domain/stage.ts';
import { components } from './components.ts';
import { dealRun, drawFaults } from './draw-faults.ts';
import { type Fault, faultKinds } from './fault.ts';

const nameOf = ({ component, stage, kind }: Fault): string => `${kind} ${component} in ${stage}`;
const everyFault = components.flatMap(({ name, stages, kinds }) =>
  stages.flatMap((stage) => kinds.map((kind) => ({ component: name, stage, kind }))),
);

test('every fault is one that its component has in that stage, and the seed decides', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), (count, seed) => {
      const faults = drawFaults(count, seed, faultKinds);
      expect(faults).toHaveLength(count);
      expect(drawFaults(count, seed, faultKinds)).toEqual(faults);
      for (const { component, stage, kind } of faults) expect(everyFault).toContainEqual({ component, stage, kind });
    }),
    { numRuns: 50 },
  );
});

test('every fault there is comes before any comes again, each component in each way first', () => {
  const all = drawFaults(everyFault.length, 7, faultKinds);
  expect(new Set(all.map(nameOf)).size).toBe(everyFault.length);
  const ways = components.flatMap(({ name, kinds }) => kinds.map((kind) => `${kind} ${name}`));
  const first = all.slice(0, ways.length).map(({ component, kind }) => `${kind} ${component}`);
  expect(first.sort()).toEqual(ways.sort());
});

test('runs take all faults, in the order of the stages, and each component at most twice a stage', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 120 }), fc.nat(), (count, seed) => {
      const drawn = drawFaults(count, seed, faultKinds);
      const dealt: Fault[] = [];
      for (let open = drawn; open.length > 0; ) {
        const { run, rest } = dealRun(open);
        expect(run.length).toBeGreaterThan(0);
        const places = run.map(({ stage }) => stageNames.indexOf(stage));
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        const often = Map.groupBy(run, ({ component, stage }) => `${component} ${stage}`);
        expect(Math.max(...[...often.values()].map(({ length }) => length))).toBeLessThanOrEqual(2);
        dealt.push(...run);
        open = rest;
      }
      expect(dealt.map(nameOf).sort()).toEqual(drawn.map(nameOf).sort());
    }),
    { numRuns: 50 },
  );
});

test('refuses to draw from nothing', () => {
  expect(() => drawFaults(1, 1, [])).toThrow('expected kinds of faults');
});
