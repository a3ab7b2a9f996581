import type { Sizes } from './check-run.ts';

/** Long enough that a fault finds each stage at work, short enough for many runs. */
export const chaosSizes = {
  'base-model': { steps: 24, saveEvery: 6 },
  sft: { steps: 24, saveEvery: 6 },
  rl: { steps: 12, saveEvery: 3 },
} as const satisfies Sizes;

/** The smoke spec with these sizes, a judge, and a stall limit that a test can wait for. */
export const chaosChanges: readonly string[] = [
  `baseModel.steps=${chaosSizes['base-model'].steps}`,
  `baseModel.saveEvery=${chaosSizes['base-model'].saveEvery}`,
  `sft.steps=${chaosSizes.sft.steps}`,
  `sft.saveEvery=${chaosSizes.sft.saveEvery}`,
  `rl.steps=${chaosSizes.rl.steps}`,
  `rl.saveEvery=${chaosSizes.rl.saveEvery}`,
  'judge.engine=builtin',
  'limits.stallSeconds=45',
];
