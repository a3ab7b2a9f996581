import type { Episode } from '../domain/episode.ts';
import type { Grade } from '../domain/verdict.ts';
import type { LoadedProtocol } from '../episodes/load-protocol.ts';
import type { ModelClientOptions, Sampling } from '../episodes/model-client.ts';
import type { CodeSandbox } from '../episodes/tool-session.ts';
import type { EvaluationProgress } from './progress-counter.ts';

export interface EvaluationOptions {
  /** Parquet file in the RL schema. */
  readonly dataset: string;
  /** Name in tables, such as `test`. */
  readonly datasetName: string;
  readonly datasetDigest: string;
  /** Name in tables: `base`, `sft`, `rl`. */
  readonly model: string;
  readonly checkpoint: string;
  readonly modelDigest: string;
  readonly protocol: LoadedProtocol;
  /** Base URLs of servers of the model. */
  readonly endpoints: readonly string[];
  /** The name under which every endpoint serves the model. */
  readonly servedModel: string;
  readonly apiKey?: string;
  readonly sampling: Sampling;
  /** Episodes in flight. */
  readonly concurrency: number;
  /** Seconds that an episode may take. */
  readonly episodeSeconds: number;
  /** Above this share of undecided samples the evaluation fails. */
  readonly maxUndecidedShare: number;
  /** Gets `journal.jsonl`, `result.json` and `images/`. Of this evaluation alone. */
  readonly outputDir: string;
  readonly sandbox: CodeSandbox & { readonly isolation: string };
  /** Version of the rules behind `grade`; part of the fingerprint. */
  readonly scoring: string;
  readonly grade: (episode: Episode) => Promise<Grade>;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Asks only the first samples. @default all */
  readonly limit?: number;
  /** Samples from the first on whose images are kept in `images/`. @default 64 */
  readonly keepImages?: number;
  /** Retries and deadlines of the model's requests. */
  readonly requests?: Pick<ModelClientOptions, 'attempts' | 'pauseMs' | 'requestSeconds'>;
}
