import type { Sizes } from './check-run.ts';

const changesOf = ({ sft, rl, ...sizes }: Required<Pick<Sizes, 'base-model' | 'sft' | 'rl'>>): string[] => {
  const stages = { baseModel: sizes['base-model'], sft, rl };
  return Object.entries(stages).flatMap(([name, size]) =>
    size ? [`${name}.steps=${size.steps}`, `${name}.saveEvery=${size.saveEvery}`] : [],
  );
};

/** Long enough for the faults of a run in each stage, short enough for many runs. */
export const chaosSizes = {
  'base-model': { steps: 200, saveEvery: 20 },
  sft: { steps: 200, saveEvery: 20 },
  rl: { steps: 80, saveEvery: 20 },
} as const satisfies Sizes;

/**
 * The smoke spec with these sizes and small steps, leases from the pool, and a stall limit that a test can wait for. The
 * judge, which takes a while to load, is there where a fault needs it.
 */
export const chaosChanges: readonly string[] = [
  ...changesOf(chaosSizes),
  'baseModel.batchSize=24',
  'sft.batchSize=4',
  'sft.microBatchSize=4',
  'rl.promptsPerStep=2',
  'data.validationSamples=12',
  'data.testSamples=24',
  'placement={"pool":{"judgeApart":false}}',
  'limits.stallSeconds=90',
];

/** The same for a run with few faults. */
export const shortSizes = {
  'base-model': { steps: 12, saveEvery: 6 },
  sft: { steps: 12, saveEvery: 4 },
  rl: { steps: 8, saveEvery: 4 },
} as const satisfies Sizes;

export const shortChanges: readonly string[] = [
  ...changesOf(shortSizes),
  'rl.promptsPerStep=2',
  'data.validationSamples=12',
  'data.testSamples=24',
  // Nothing hangs for good here, and a busy machine is no stall.
  'limits.stallSeconds=600',
];
