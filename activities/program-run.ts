import type { Progress } from '../domain/progress.ts';
import type { RunRef, StageName } from '../domain/stage.ts';
import type { Attempt } from './attempts.ts';
import type { ProgramLauncher } from './program-launcher.ts';

export interface ProgramPlan {
  /** Written to the attempt's `config.json`. */
  readonly config: unknown;
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** Step of the checkpoint from which the program goes on; null or absent where it begins. */
  readonly resumeStep?: number | null;
}

/** Writes down what the attempts of a program use. */
export interface ProgramMeter {
  /** @throws LensmithError `budget` where nothing more may be used. */
  readonly assertWithinBudget: () => Promise<void>;
  /** An attempt is about to be started. */
  readonly begin: (attempt: Attempt, resumeStep: number | null) => Promise<void>;
  /** Called again and again while the program lives; gives the reason for which it has to stop now, if there is one. */
  readonly look: (attempt: Attempt, progress: Progress | undefined) => Promise<string | undefined>;
  /** The attempt is over; called again it changes nothing. */
  readonly end: (attempt: Attempt) => Promise<void>;
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
  readonly meter?: ProgramMeter;
}
