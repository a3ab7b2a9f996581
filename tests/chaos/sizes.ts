import type { StageName } from '../../domain/stage.ts';
import type { Sizes } from './check-run.ts';
import { componentOf } from './components.ts';
import { needsJudge } from './deal-run.ts';
import type { Fault } from './fault.ts';

const changesOf = ({ sft, rl, ...sizes }: Required<Pick<Sizes, 'base-model' | 'sft' | 'rl'>>): string[] => {
  const stages = { baseModel: sizes['base-model'], sft, rl };
  return Object.entries(stages).flatMap(([name, size]) =>
    size ? [`${name}.steps=${size.steps}`, `${name}.saveEvery=${size.saveEvery}`] : [],
  );
};

/** Steps a stage has on its own, and for each fault in it: some twelve seconds on a machine with nothing else to do. */
const steps = { 'base-model': [80, 80], sft: [80, 120], rl: [40, 30] } as const;
/** What a stage does not need may hang for more than a minute before it is noticed, and the stage goes on meanwhile. */
const faultsOfHang = 6;
const neededByRlOnly = ['ray', 'tool-server'];
const saveEvery = 20;
/** RL may do so much again; more checkpoints would have to be evaluated than there is time for. */
const rlCheckpoints = 4;

const weightOf = ({ kind, component, stage }: Fault): number => {
  const { notedBy } = componentOf(component);
  const goesOn = stage !== 'rl' && notedBy && 'service' in notedBy && neededByRlOnly.includes(notedBy.service);
  return kind === 'hang' && goesOn ? faultsOfHang : 1;
};

/** Sizes at which each stage is as long as its faults need. */
export const sizesFor = (faults: readonly Fault[]): Required<Pick<Sizes, 'base-model' | 'sft' | 'rl'>> => {
  const stepsOf = (stage: keyof typeof steps): number => {
    const weight = faults.filter((fault) => fault.stage === stage).reduce((sum, fault) => sum + weightOf(fault), 0);
    return steps[stage][0] + steps[stage][1] * weight;
  };
  const rl = Math.ceil(stepsOf('rl') / rlCheckpoints);
  return {
    'base-model': { steps: stepsOf('base-model'), saveEvery },
    sft: { steps: stepsOf('sft'), saveEvery },
    rl: { steps: rlCheckpoints * rl, saveEvery: rl },
  };
};

/**
 * The smoke spec with these sizes and small steps, leases from the pool, and limits that a test can wait for. The judge,
 * which takes a while to load, is there where a fault needs it.
 */
export const changesFor = (faults: readonly Fault[]): string[] => {
  const count = (stage: StageName): number => faults.filter((fault) => fault.stage === stage).length;
  return [
    ...changesOf(sizesFor(faults)),
    'baseModel.batchSize=24',
    'sft.batchSize=4',
    'sft.microBatchSize=4',
    'rl.promptsPerStep=2',
    `data.captions=${count('prepare-data') > 0 ? 8000 : 1216}`,
    `data.validationSamples=${12 + 18 * count('evaluate-checkpoints')}`,
    `data.testSamples=${24 + 80 * count('benchmark-suite')}`,
    'placement={"pool":{"judgeApart":false}}',
    'limits.stallSeconds=90',
    'judge.startSeconds=150',
    'serving.startSeconds=75',
    `judge.engine=${faults.some(needsJudge) ? 'builtin' : 'none'}`,
  ];
};

/** Sizes of a run with few faults. */
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
