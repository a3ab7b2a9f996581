import type { StageName } from '../../domain/stage.ts';
import { findByEnvironment, listProcesses } from '../../processes/find-processes.ts';
import type { ProcessInfo } from '../../processes/proc-stat.ts';
import type { FaultKind } from './fault.ts';
import type { DiskName, LinkName } from './ground.ts';

/** A part of a running Lensmith that can be lost. */
export interface Component {
  readonly name: string;
  /** The words of the command line that name its processes. */
  readonly marks: readonly string[];
  /** A service whose children they are, for those that carry nothing of ours in their environment. */
  readonly below?: string;
  /** Stages in which its loss is tried. */
  readonly stages: readonly StageName[];
  readonly kinds: readonly FaultKind[];
  /** Who notices its end: the supervisor, which counts endings of a service, or the stage, which counts attempts. */
  readonly notedBy?: { readonly service: string } | { readonly attemptsOf: RegExp };
  /** Links that carry its traffic, where that is not all that its own sockets have. */
  readonly links?: readonly LinkName[];
  readonly disk?: DiskName;
  /** Whether another takes its place only once somebody asks for it. */
  readonly onDemand?: boolean;
  /** The stage whose program ends with it, sooner or later. */
  readonly carries?: StageName;
  /** Whether its loss may cost the trainer of the stage steps. */
  readonly costsSteps: boolean;
}

/** Stages that last long enough to be met; the others (`ray-cluster`, `promote`, `report`) are over between two looks. */
export const metStages = [
  'prepare-data',
  'base-model',
  'sft',
  'serve-judge',
  'rl',
  'evaluate-checkpoints',
  'benchmark-suite',
] as const satisfies readonly StageName[];
/** A few files are all that the first stage makes, for which it needs neither Ray nor tools. */
const laterStages = metStages.filter((stage) => stage !== 'prepare-data');
const everySignal = ['kill', 'pause', 'hang'] as const;
const trainer = { kinds: everySignal, costsSteps: true };
const service = { kinds: [...everySignal, 'partition'], costsSteps: false } as const;

export const components: readonly Component[] = [
  {
    name: 'control worker',
    marks: ['workers/control.ts'],
    stages: metStages,
    ...service,
    notedBy: { service: 'control-worker' },
    links: ['control-temporal'],
  },
  {
    name: 'host worker',
    marks: ['workers/host.ts'],
    stages: metStages,
    ...service,
    notedBy: { service: 'host-worker' },
    links: ['host-temporal', 'host-ray'],
  },
  {
    name: 'Temporal server',
    marks: ['server start-dev'],
    stages: metStages,
    ...service,
    notedBy: { service: 'temporal' },
  },
  { name: "Temporal's disk", marks: [], stages: ['sft', 'rl'], kinds: ['fill'], disk: 'database', costsSteps: false },
  {
    name: 'Ray head',
    marks: ['gcs_server'],
    stages: laterStages,
    ...service,
    notedBy: { service: 'ray' },
    carries: 'rl',
    costsSteps: true,
  },
  {
    name: 'Ray node',
    marks: ['raylet/raylet'],
    stages: laterStages,
    ...service,
    notedBy: { service: 'ray' },
    carries: 'rl',
    costsSteps: true,
  },
  {
    name: 'tool server',
    marks: ['main.ts tool-server'],
    stages: laterStages,
    ...service,
    notedBy: { service: 'tool-server' },
    // Where it hangs, it is away for longer than the trainer waits for it.
    costsSteps: true,
  },
  {
    name: 'base model trainer',
    marks: ['lensmith_trainers.base_model'],
    stages: ['base-model'],
    ...trainer,
    notedBy: { attemptsOf: /^base-model$/ },
  },
  {
    name: 'SFT trainer',
    marks: ['lensmith_trainers.sft'],
    stages: ['sft'],
    ...trainer,
    notedBy: { attemptsOf: /^sft$/ },
  },
  {
    name: 'RL driver',
    marks: ['lensmith_trainers.rl '],
    stages: ['rl'],
    kinds: [...everySignal, 'partition'],
    costsSteps: true,
    notedBy: { attemptsOf: /^rl$/ },
    links: ['trainer-tools'],
  },
  {
    name: 'model server',
    marks: ['lensmith_trainers.serve ', 'stages/serve-', '!stages/serve-judge'],
    stages: ['evaluate-checkpoints', 'benchmark-suite'],
    ...service,
    notedBy: { attemptsOf: /^serve-(?!judge$)/ },
  },
  {
    name: 'judge',
    marks: ['lensmith_trainers.serve ', 'stages/serve-judge'],
    stages: ['rl', 'evaluate-checkpoints', 'benchmark-suite'],
    ...service,
    notedBy: { attemptsOf: /^serve-judge$/ },
  },
  {
    name: 'judge that loads',
    marks: ['lensmith_trainers.serve ', 'stages/serve-judge'],
    stages: ['serve-judge'],
    // It listens to nobody yet; and what hangs here is told from what is slow by `judge.startSeconds` alone.
    kinds: ['kill', 'pause'],
    costsSteps: false,
    notedBy: { attemptsOf: /^serve-judge$/ },
  },
  {
    name: 'sandbox of the trainers',
    marks: ['sandbox/guest/main.py'],
    below: 'main.ts tool-server',
    stages: ['rl'],
    kinds: ['kill', 'pause'],
    onDemand: true,
    costsSteps: false,
  },
  {
    name: 'sandbox of the evaluation',
    marks: ['sandbox/guest/main.py'],
    below: 'workers/host.ts',
    stages: ['evaluate-checkpoints', 'benchmark-suite'],
    kinds: ['kill', 'pause'],
    onDemand: true,
    costsSteps: false,
  },
  {
    name: 'disk of the runs',
    marks: [],
    stages: ['base-model', 'sft', 'rl', 'benchmark-suite'],
    kinds: ['fill'],
    disk: 'runs',
    costsSteps: true,
  },
];

const fits = ({ command }: ProcessInfo, marks: readonly string[]): boolean =>
  !command.includes('record-exit.sh') &&
  marks.every((mark) => (mark.startsWith('!') ? !command.includes(mark.slice(1)) : command.includes(mark)));

const childrenOf = (parents: readonly ProcessInfo[]): ProcessInfo[] => {
  const all = listProcesses();
  const pids = new Set(parents.map(({ pid }) => pid));
  return all.filter(({ parent }) => pids.has(parent));
};

/** The living processes of a component in the stack of a home; none of one that is a disk. */
export const processesOf = (home: string, { marks, below }: Component): ProcessInfo[] => {
  if (marks.length === 0) return [];
  const ours = findByEnvironment({ LENSMITH_HOME: home });
  const among = below === undefined ? ours : childrenOf(ours.filter((info) => fits(info, [below])));
  return among.filter((info) => fits(info, marks));
};

/** Whether it has to be there whatever the stage does. */
export const isService = ({ notedBy }: Component): boolean => notedBy !== undefined && 'service' in notedBy;

export const componentOf = (name: string): Component => {
  const component = components.find((candidate) => candidate.name === name);
  if (!component) throw new Error(`expected a component, got ${name}`);
  return component;
};
