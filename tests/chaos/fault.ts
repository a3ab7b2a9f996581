import type { StageName } from '../../domain/stage.ts';

/**
 * - `kill`: SIGKILL.
 * - `pause`: SIGSTOP, and SIGCONT some seconds later.
 * - `hang`: SIGSTOP for good.
 * - `partition`: for some seconds no packet of it arrives anywhere.
 * - `fill`: for some seconds its disk has no room left.
 */
export const faultKinds = ['kill', 'pause', 'hang', 'partition', 'fill'] as const;
export type FaultKind = (typeof faultKinds)[number];

export interface Fault {
  readonly component: string;
  readonly stage: StageName;
  readonly kind: FaultKind;
  /** Milliseconds between the first sign of the stage's work and the fault. */
  readonly afterMs: number;
  /** How long a fault that passes lasts, milliseconds. */
  readonly lastsMs: number;
}

export interface FaultOutcome extends Fault {
  /** False where the component had no process in this stage, or the stage was over before. */
  readonly met: boolean;
  /** Seconds until Lensmith wrote down that something was lost; null where it needs not notice. */
  readonly detectedSeconds: number | null;
  /** Seconds until another process stood in its place; null where it was continued, or needed none. */
  readonly replacedSeconds: number | null;
  /** Seconds until the run was seen to get on with everything in its place. */
  readonly recoveredSeconds: number | null;
  /** Class with which the run ended before it was resumed; null where it went on by itself. */
  readonly failure: string | null;
  /** Whether the trainer of the stage began again from a checkpoint. */
  readonly restarted: boolean;
  /** The longest time between two steps of the trainer during it, and the median of the stage, seconds. */
  readonly steps: { readonly longest: number; readonly median: number } | null;
}
