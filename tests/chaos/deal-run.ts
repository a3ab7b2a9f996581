import { type StageName, stageNames } from '../../domain/stage.ts';
import { componentOf } from './components.ts';
import type { Fault } from './fault.ts';

/** So many faults of one stage a run takes: it is made as long as they need. */
const room: Readonly<Partial<Record<StageName, number>>> = {
  'prepare-data': 1,
  'base-model': 4,
  sft: 4,
  'serve-judge': 3,
  rl: 6,
  'evaluate-checkpoints': 3,
  'benchmark-suite': 4,
};

export const needsJudge = ({ component, stage }: Fault): boolean => component === 'judge' || stage === 'serve-judge';

/**
 * What ends an attempt of a trainer, and a full disk, come once a stage, other components twice. What hangs comes once a
 * stage too: a trainer goes on while a service does, and would be at its end before the next fault.
 */
const fits = (chosen: readonly Fault[], fault: Fault): boolean => {
  const same = chosen.filter(({ stage }) => stage === fault.stage);
  if (same.length >= (room[fault.stage] ?? 1)) return false;
  const often = same.filter(({ component }) => component === fault.component).length;
  if (often >= (componentOf(fault.component).costsSteps ? 1 : 2)) return false;
  return (fault.kind !== 'fill' && fault.kind !== 'hang') || same.every(({ kind }) => kind !== fault.kind);
};

/**
 * Takes the faults of one run from those that are open, the first ones first, and puts them in the order of the stages. In
 * each the disk is filled first, because what ends the run may leave little of its stage, and what hangs comes last. A run
 * whose first fault does not need the judge goes without.
 */
export const dealRun = (open: readonly Fault[]): { run: Fault[]; rest: Fault[] } => {
  const judged = open.slice(0, 1).some(needsJudge);
  const preferred = judged ? [...open.filter(needsJudge), ...open.filter((fault) => !needsJudge(fault))] : open;
  const taken = new Set<Fault>();
  for (const fault of preferred) if ((judged || !needsJudge(fault)) && fits([...taken], fault)) taken.add(fault);
  const place = ({ stage, kind }: Fault): number =>
    3 * stageNames.indexOf(stage) + (kind === 'hang' ? 2 : kind === 'fill' ? 0 : 1);
  return {
    run: [...taken].sort((a, b) => place(a) - place(b)),
    rest: open.filter((fault) => !taken.has(fault)),
  };
};
