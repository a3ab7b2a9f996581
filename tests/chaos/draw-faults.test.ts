import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stageNames } from '../../domain/stage.ts';
import { components } from './components.ts';
import { drawFaults } from './draw-faults.ts';

const kinds = ['kill', 'pause', 'hang'] as const;

test('every fault is in a stage of its component, at most one a stage of a run, and the seed decides', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 120 }), fc.nat(), (count, seed) => {
      const runs = drawFaults(count, seed, kinds);
      expect(runs.flat()).toHaveLength(count);
      expect(drawFaults(count, seed, kinds)).toEqual(runs);
      for (const faults of runs) {
        const places = faults.map(({ stage }) => stageNames.indexOf(stage));
        expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
        for (const { component, stage } of faults)
          expect(components.find(({ name }) => name === component)?.stages).toContain(stage);
      }
    }),
    { numRuns: 50 },
  );
});

test('every kind of fault is drawn before any comes again', () => {
  const all = components.flatMap(({ stages }) => stages).length;
  const drawn = drawFaults(all, 7, ['kill']).flat();
  expect(new Set(drawn.map(({ component, stage }) => `${component} ${stage}`)).size).toBe(all);
});
