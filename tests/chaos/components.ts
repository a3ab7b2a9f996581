import type { StageName } from '../../domain/stage.ts';
import { findByEnvironment, listProcesses } from '../../processes/find-processes.ts';
import type { ProcessInfo } from '../../processes/proc-stat.ts';

/** A part of a running Lensmith that can be lost. */
export interface Component {
  readonly name: string;
  /** The words of the command line that name its processes. */
  readonly marks: readonly string[];
  /** A service whose children they are, for those that carry nothing of ours in their environment. */
  readonly below?: string;
  /** Stages in which its loss is tried. */
  readonly stages: readonly StageName[];
  /** Whether something notices that it hangs: the supervisor, or the stall limit of its stage. */
  readonly hangIsNoticed: boolean;
}

/** Stages that last long enough to be met; the others are over between two looks. */
const everyStage = ['base-model', 'sft', 'serve-judge', 'rl', 'benchmark-suite'] as const;

export const components: readonly Component[] = [
  { name: 'control worker', marks: ['workers/control.ts'], stages: everyStage, hangIsNoticed: true },
  { name: 'host worker', marks: ['workers/host.ts'], stages: everyStage, hangIsNoticed: true },
  { name: 'Temporal server', marks: ['server start-dev'], stages: everyStage, hangIsNoticed: true },
  { name: 'Ray head', marks: ['gcs_server'], stages: ['sft', 'rl', 'benchmark-suite'], hangIsNoticed: true },
  { name: 'Ray node', marks: ['raylet/raylet'], stages: ['base-model', 'rl'], hangIsNoticed: true },
  {
    name: 'tool server',
    marks: ['main.ts tool-server'],
    stages: ['sft', 'rl', 'benchmark-suite'],
    hangIsNoticed: true,
  },
  {
    name: 'base model trainer',
    marks: ['lensmith_trainers.base_model'],
    stages: ['base-model'],
    hangIsNoticed: true,
  },
  { name: 'SFT trainer', marks: ['lensmith_trainers.sft'], stages: ['sft'], hangIsNoticed: true },
  { name: 'RL driver', marks: ['lensmith_trainers.rl '], stages: ['rl'], hangIsNoticed: true },
  {
    name: 'model server',
    marks: ['lensmith_trainers.serve ', 'stages/serve-', '!stages/serve-judge'],
    stages: ['benchmark-suite'],
    hangIsNoticed: false,
  },
  {
    name: 'judge',
    marks: ['lensmith_trainers.serve ', 'stages/serve-judge'],
    stages: ['rl', 'benchmark-suite'],
    hangIsNoticed: false,
  },
  {
    name: 'sandbox of the trainers',
    marks: ['sandbox/guest/main.py'],
    below: 'main.ts tool-server',
    stages: ['rl'],
    hangIsNoticed: false,
  },
  {
    name: 'sandbox of the evaluation',
    marks: ['sandbox/guest/main.py'],
    below: 'workers/host.ts',
    stages: ['benchmark-suite'],
    hangIsNoticed: false,
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

/** The living processes of a component in the stack of a home. */
export const processesOf = (home: string, { marks, below }: Component): ProcessInfo[] => {
  const ours = findByEnvironment({ LENSMITH_HOME: home });
  const among = below === undefined ? ours : childrenOf(ours.filter((info) => fits(info, [below])));
  return among.filter((info) => fits(info, marks));
};
