import { expect, test } from 'vitest';
import { type KeyParts, keyChanges } from '../../domain/key-parts.ts';

const rl: KeyParts = {
  stage: 'rl',
  code: 1,
  config: { learningRate: 0.0001, steps: 20, judges: ['a'], seed: 0 },
  inputs: { sft: 'x', data: 'y' },
};

test('a key that is the same has no changes, whatever the order of its parts', () => {
  const config = Object.fromEntries(Object.entries(rl.config).reverse());
  expect(keyChanges(rl, { ...rl, config })).toEqual([]);
});

test('each part that differs is named by its place in the spec, with both values', () => {
  const after: KeyParts = {
    stage: 'rl',
    code: 2,
    config: { learningRate: 0.001, steps: 20, judges: ['a', 'b'], seed: 7, audit: 'required' },
    inputs: { sft: 'z', data: 'y' },
  };
  expect(keyChanges(rl, after)).toEqual([
    'rl.learningRate 0.0001 → 0.001',
    'rl.judges ["a"] → ["a","b"]',
    'seed 0 → 7',
    'rl.audit nothing → "required"',
    'its input sft is another one',
    "version of the stage's code 1 → 2",
  ]);
});

test('what lies deeper in a value is named by its own path', () => {
  const data = (captions: number): KeyParts => ({
    stage: 'prepare-data',
    code: 1,
    config: { data: { kind: 'mnist', captions }, seed: 0 },
    inputs: {},
  });
  expect(keyChanges(data(40), data(50))).toEqual(['data.captions 40 → 50']);
});
