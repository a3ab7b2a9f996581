import fc from 'fast-check';
import { expect, test } from 'vitest';
import { stageNames } from '../../domain/stage.ts';
import { components } from './components.ts';
import { countCells, coverageTable, missedInWords, notCovered } from './coverage.ts';
import { dealRun } from './deal-run.ts';
import { coverSize, drawFaults, namedFaults } from './draw-faults.ts';
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

test('as many faults as it takes have each component in each of its stages and of its ways, and none hangs twice', () => {
  fc.assert(
    fc.property(fc.nat(), fc.subarray([...faultKinds], { minLength: 1 }), (seed, kinds) => {
      const cover = drawFaults(coverSize(kinds), seed, kinds).map((fault) => ({ ...fault, met: true }));
      expect(notCovered(cover, kinds)).toEqual([]);
      for (const { name, kinds: its } of components.filter((one) => one.kinds.some((kind) => kinds.includes(kind)))) {
        const hangs = cover.filter(({ component, kind }) => component === name && kind === 'hang');
        if (its.some((kind) => kind !== 'hang' && kinds.includes(kind))) expect(hangs.length).toBeLessThanOrEqual(1);
      }
    }),
    { numRuns: 50 },
  );
});

test('every fault there is comes before any comes again', () => {
  const all = drawFaults(everyFault.length, 7, faultKinds);
  expect(new Set(all.map(nameOf)).size).toBe(everyFault.length);
});

test('a table of the faults that were met says which were missed', () => {
  const fault = { component: 'SFT trainer', stage: 'sft', kind: 'kill', met: true } as const;
  const kinds = ['kill', 'pause'] as const;
  const faults = [fault, { ...fault, kind: 'pause' as const, met: false }];
  expect(coverageTable(faults, kinds)).toMatch(/\| SFT trainer +\| – +\| – +\| kill +\| –/);
  expect(coverageTable([], kinds)).toMatch(/\| SFT trainer +\| – +\| – +\| missed +\| –/);
  const sft = (met: Parameters<typeof notCovered>[0]) =>
    notCovered(met, kinds).find(({ component }) => component === 'SFT trainer');
  expect(sft(faults)).toEqual({ component: 'SFT trainer', stages: [], kinds: ['pause'] });
  expect(sft([fault, { ...fault, kind: 'pause' }])).toBeUndefined();
  expect(missedInWords({ component: 'SFT trainer', stages: ['sft'], kinds: ['kill', 'pause'] })).toBe(
    'SFT trainer in sft; kill, pause of SFT trainer',
  );
  expect(countCells(faults, kinds).met).toBe(1);
});

test('faults can be named', () => {
  const faults = namedFaults(['model server:hang', 'RL driver:kill:rl'], 3);
  expect(faults.map(nameOf)).toEqual([
    'hang model server in evaluate-checkpoints',
    'hang model server in benchmark-suite',
    'kill RL driver in rl',
  ]);
  expect(() => namedFaults(['RL driver:kill:sft'], 3)).toThrow('expected COMPONENT:KIND');
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
