import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { digestOf, stageKey } from '../../activities/stage-key.ts';
import { baseModelKey } from '../../activities/train-base-model.ts';
import { rlKey } from '../../activities/train-rl.ts';
import { sftKey } from '../../activities/train-sft.ts';
import type { ArtifactRef } from '../../domain/artifact.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import type { RunSpec, RunSpecInput } from '../../domain/run-spec.ts';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';

const specOf = (changes: Partial<RunSpecInput> = {}): RunSpec => parseRunSpec(miniatureSpec(changes));

const artifact = (digest: string): ArtifactRef => ({ kind: 'model', path: `/${digest}`, digest, details: {} });

test('a digest is that of the JSON with sorted keys and without what is undefined', () => {
  const json = '{"a":[{"c":2,"d":1}],"b":null}';
  expect(digestOf({ b: null, a: [{ d: 1, c: 2 }], e: undefined })).toBe(
    createHash('sha256').update(json).digest('hex'),
  );
});

test('a key depends on the stage, its config and its inputs, not on the order of what it is given', () => {
  const key = stageKey('sft', { steps: 4, rate: 1 }, { base: 'x', data: 'y' });
  expect(stageKey('sft', { rate: 1, steps: 4 }, { data: 'y', base: 'x' })).toBe(key);
  expect(stageKey('rl', { steps: 4, rate: 1 }, { base: 'x', data: 'y' })).not.toBe(key);
  expect(stageKey('sft', { steps: 5, rate: 1 }, { base: 'x', data: 'y' })).not.toBe(key);
  expect(stageKey('sft', { steps: 4, rate: 1 }, { base: 'y', data: 'x' })).not.toBe(key);
});

test('who decides rewards changes the key of RL, and how a judge is audited where there is one', async () => {
  const protocol = await loadProtocol('miniature');
  const keyOf = (judges: readonly string[], changes: Partial<RunSpecInput> = {}): string =>
    rlKey(specOf(changes), protocol, artifact('sft'), artifact('data'), judges);
  const { judge } = miniatureSpec();
  const forced = { judge: { ...judge, audit: 'force' } } as const;
  expect(keyOf(['a'])).not.toBe(keyOf([]));
  expect(keyOf(['a', 'b'])).not.toBe(keyOf(['a']));
  expect(keyOf(['a'], forced)).not.toBe(keyOf(['a']));
  expect(keyOf([], forced)).toBe(keyOf([]));
  expect(keyOf([], { prompt: 'dataset' })).not.toBe(keyOf([]));
});

test('threads and the name of a run change no key; seed, device and settings do', async () => {
  const protocol = await loadProtocol('miniature');
  const { sft, rl, baseModel } = miniatureSpec();
  const keys = (spec: RunSpec) => [
    baseModelKey(spec, artifact('data')),
    sftKey(spec, artifact('base'), artifact('data')),
    rlKey(spec, protocol, artifact('sft'), artifact('data'), []),
  ];
  const original = keys(specOf());
  expect(keys(specOf({ name: 'other', run: 'other', sft: { ...sft, threads: 2 }, rl: { ...rl, threads: 2 } }))).toEqual(
    original,
  );
  const changes: Partial<RunSpecInput>[] = [
    { seed: 1 },
    { device: 'cuda' },
    {
      baseModel: { ...baseModel, steps: 5 } as RunSpecInput['baseModel'],
      sft: { ...sft, steps: 5 },
      rl: { ...rl, steps: 5 },
    },
  ];
  for (const change of changes) {
    const changed = keys(specOf(change));
    for (const [index, key] of original.entries()) expect(changed[index], JSON.stringify(change)).not.toBe(key);
  }
});
