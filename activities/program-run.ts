import type { RunRef, StageName } from '../domain/stage.ts';
import type { Attempt } from './attempts.ts';
import type { ProgramLauncher } from './program-launcher.ts';

export interface ProgramPlan {
  /** Written to the attempt's `config.json`. */
  readonly config: unknown;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface ProgramRun {
  readonly run: RunRef;
  readonly stage: StageName;
  readonly launcher: ProgramLauncher;
  /** Interpreter of the program; its tools lie beside it. */
  readonly python: string;
  /** Called once for each attempt that is started, not for one that is found running. */
  readonly plan: (attempt: Attempt) => Promise<ProgramPlan>;
  /** Seconds without progress after which the program is stopped as stalled. */
  readonly stallSeconds: number;
  /** Seconds that whoever keeps the program may be silent. */
  readonly patienceSeconds: number;
  /** Whether what the program leaves is there still; without it, a program that ended well is not run again. */
  readonly isWhole?: () => Promise<boolean>;
  /** The micro-batch to try after one that was too large; null where none is left. */
  readonly shrink?: (microBatchSize: number) => number | null;
}
