import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decideKeep, type KeepRules, type KeptCheckpoint } from '../../domain/checkpoint-keep.ts';
import type { EvaluatedEvent, GivenUpEvent } from '../../domain/checkpoint-ledger.ts';
import { historyOf } from '../../domain/checkpoint-ledger.ts';

const evaluated = (step: number, accuracy: number, calls = 1): EvaluatedEvent => ({
  kind: 'evaluated',
  step,
  digest: `d${step}`,
  at: step,
  accuracy,
  toolCallsPerEpisode: calls,
  evaluation: `/evaluations/${step}`,
});

const givenUp = (step: number): GivenUpEvent => ({
  kind: 'given-up',
  step,
  digest: `d${step}`,
  at: step,
  type: 'undecided',
  message: 'too many samples have no verdict',
});

const kept = (step: number, settled: KeptCheckpoint['settled']): KeptCheckpoint => ({
  step,
  digest: `d${step}`,
  settled,
});

const rules = (changes: Partial<KeepRules> = {}): KeepRules => ({
  keep: 2,
  evaluated: true,
  isPromoted: () => false,
  ...changes,
});

const reasons = (checkpoints: KeptCheckpoint[], changes: Partial<KeepRules> = {}) =>
  Object.fromEntries(decideKeep(checkpoints, rules(changes)).map((one) => [one.checkpoint.step, one.reasons]));

test('the newest, the best, a promoted one and those that wait stay', () => {
  const checkpoints = [
    kept(10, evaluated(10, 0.5)),
    kept(20, evaluated(20, 0.9)),
    kept(30, evaluated(30, 0.4)),
    kept(40, givenUp(40)),
    kept(50, null),
    kept(60, evaluated(60, 0.6)),
    kept(70, null),
  ];
  expect(reasons(checkpoints, { isPromoted: ({ step }) => step === 30 })).toEqual({
    10: [],
    20: ['best'],
    30: ['promoted'],
    40: [],
    50: ['waits for its evaluation'],
    60: ['newest'],
    70: ['newest', 'waits for its evaluation'],
  });
});

test('of equals the one with fewer calls is the best, then the later one', () => {
  const equals = [
    kept(10, evaluated(10, 0.8, 0.5)),
    kept(20, evaluated(20, 0.8, 0.5)),
    kept(30, evaluated(30, 0.8, 2)),
  ];
  expect(reasons([...equals, kept(40, evaluated(40, 0)), kept(50, evaluated(50, 0))])).toMatchObject({
    10: [],
    20: ['best'],
    30: [],
  });
});

test('nobody waits for an evaluation in a stage that has none', () => {
  const checkpoints = [10, 20, 30].map((step) => kept(step, null));
  expect(reasons(checkpoints, { evaluated: false })).toEqual({ 10: [], 20: ['newest'], 30: ['newest'] });
});

test('null keeps all', () => {
  const checkpoints = [10, 20, 30].map((step) => kept(step, givenUp(step)));
  expect(Object.values(reasons(checkpoints, { keep: null }))).toEqual([['newest'], ['newest'], ['newest']]);
});

test('whatever there is: the newest, the best and those that wait never go, and all else does', () => {
  const settled = (step: number) =>
    fc.oneof(
      fc.constant(null),
      fc.constant(givenUp(step)),
      fc.tuple(fc.nat(3), fc.nat(3)).map(([accuracy, calls]) => evaluated(step, accuracy / 3, calls)),
    );
  const checkpoints = fc
    .uniqueArray(fc.nat(50), { maxLength: 12 })
    .chain((steps) => fc.tuple(...steps.map((step) => settled(step).map((state) => kept(step, state)))));
  fc.assert(
    fc.property(checkpoints, fc.integer({ min: 1, max: 5 }), (all, keep) => {
      const decisions = decideKeep(all, rules({ keep }));
      const stays = decisions.filter((one) => one.reasons.length > 0).map(({ checkpoint }) => checkpoint);
      const goes = decisions.filter((one) => one.reasons.length === 0).map(({ checkpoint }) => checkpoint);
      expect(decisions).toHaveLength(all.length);
      expect(stays.length).toBeGreaterThanOrEqual(Math.min(keep, all.length));
      for (const { step, settled: state } of goes) {
        expect(state).not.toBeNull();
        expect(stays.filter((one) => one.step > step).length).toBeGreaterThanOrEqual(keep);
        if (state?.kind !== 'evaluated') continue;
        const { accuracy } = state;
        expect(stays.some((one) => one.settled?.kind === 'evaluated' && one.settled.accuracy >= accuracy)).toBe(true);
      }
    }),
  );
});

test('a step that was trained again is another checkpoint', () => {
  const events = [evaluated(20, 0.7), { kind: 'verified', step: 20, digest: 'd20', at: 3 } as const];
  expect(historyOf(events, { step: 20, digest: 'd20' })).toMatchObject({ settled: { accuracy: 0.7 }, verified: true });
  expect(historyOf(events, { step: 20, digest: 'another' })).toEqual({ settled: null, verified: false });
});
