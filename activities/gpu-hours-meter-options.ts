import type { UsageLimit } from '../domain/gpu-hours-ledger.ts';
import type { HeldResources } from '../domain/gpu-hours-resources.ts';
import type { RunRef, StageName } from '../domain/stage.ts';

/** What is metered, and how much of it there may be. */
export interface MeterOptions {
  readonly run: RunRef;
  readonly stage: StageName;
  readonly held: HeldResources;
  /** Folder of the stage's checkpoints. */
  readonly outputDir: string;
  readonly saveEvery: number;
  /** Seconds without progress after which the program is stopped. */
  readonly stallSeconds: number;
  readonly limit: UsageLimit | null;
  /** Share of the limit from which on a warning is given. */
  readonly warning: number;
  /** Called where a checkpoint has become complete; the end of the attempt waits for what it does, a minute at most. */
  readonly onCheckpoint?: () => Promise<void>;
}
