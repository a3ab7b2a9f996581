import type { UsageUnit } from './gpu-hours-facts.ts';
import type { RunSpec } from './run-spec.ts';

/** What a program holds for as long as it lives. */
export interface HeldResources {
  readonly unit: UsageUnit;
  readonly count: number;
}

/** The unit of a run's budget: GPUs where it uses any, processor slots where it does not. */
export const budgetUnit = ({ device, gpus }: Pick<RunSpec, 'device' | 'gpus'>): UsageUnit =>
  device === 'cuda' || Object.values(gpus).some((count) => count > 0) ? 'gpu' : 'cpu-slot';

/**
 * What a program holds: the GPUs that the spec gives it, at least one where the device is `cuda`; without a GPU its
 * threads, each on a processor slot.
 */
export const heldBy = (spec: Pick<RunSpec, 'device'>, gpus: number, threads: number): HeldResources => {
  if (gpus > 0) return { unit: 'gpu', count: gpus };
  return spec.device === 'cuda' ? { unit: 'gpu', count: 1 } : { unit: 'cpu-slot', count: threads };
};
