import type { AnswerKind } from '../domain/answer-kind.ts';
import type { Episode } from '../domain/episode.ts';
import type { EvaluationResult } from '../domain/evaluation.ts';
import type { JudgeStanding } from '../domain/judge.ts';
import type { Grade } from '../domain/verdict.ts';
import type { LoadedProtocol } from '../episodes/load-protocol.ts';
import type { ModelClientOptions, Sampling } from '../episodes/model-client.ts';
import type { CodeSandbox } from '../episodes/tool-session.ts';
import type { CountedFile } from './counted-files.ts';
import type { EvaluationProgress } from './progress-counter.ts';

export interface EvaluationOptions {
  /** Parquet files in the RL schema: a file, a folder, a glob, or several with commas between them. */
  readonly dataset: string;
  /** The files of `dataset`, from a caller that has looked at them already. @default they are looked at */
  readonly files?: readonly CountedFile[];
  /** Name in tables, such as `test`. */
  readonly datasetName: string;
  readonly datasetDigest: string;
  /** Name in tables: `base`, `sft`, `rl`. */
  readonly model: string;
  readonly checkpoint: string;
  readonly modelDigest: string;
  readonly protocol: LoadedProtocol;
  /** Whose words the question has: the protocol's, or the row's own messages. @default 'protocol' */
  readonly prompt?: 'protocol' | 'dataset';
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
  /** How the judge behind `grade` stands once all is graded. @default there is none */
  readonly judgeStanding?: () => Promise<JudgeStanding>;
  readonly signal: AbortSignal;
  readonly onProgress?: (progress: EvaluationProgress) => void;
  /** Asks only the first samples. @default all */
  readonly limit?: number;
  /** Asks only the samples of these ids. @default all */
  readonly samples?: readonly string[];
  /** Episodes of each sample. A seed is raised by one for each. @default 1 */
  readonly attempts?: number;
  /** Asks again what ended as `model_error`, `sandbox_error` or `data_error` in an earlier run. @default true */
  readonly retryFailed?: boolean;
  /** First grades every episode of the journal anew; `scoring` may then differ from the journal's. @default false */
  readonly rejudge?: boolean;
  /** Given, rows need no more than images, question and answer, and this is the `data_source` of those without. */
  readonly dataSource?: string;
  /** Every answer is of this kind, whatever the rows say; `scoring` has to tell it. @default as the rows say */
  readonly answerKind?: AnswerKind;
  /** Called once with each `data_source` of which nothing tells the kind of its answers: they are texts. */
  readonly onUnknownSource?: (dataSource: string) => void;
  /** Gets the figures once all is asked, also where too many samples are undecided for them to count. */
  readonly report?: (result: EvaluationResult) => Promise<void>;
  /** Fired, nothing more is begun, and what runs is finished. */
  readonly drain?: AbortSignal;
  /** Calls `onProgress` this often, milliseconds, beside each episode's end. @default never */
  readonly tickMs?: number;
  /** Samples from the first on whose images are kept in `images/`. @default 64 */
  readonly keepImages?: number;
  /** Retries and deadlines of the model's requests, and who hears what there is to know of several endpoints. */
  readonly requests?: Pick<ModelClientOptions, 'attempts' | 'pauseMs' | 'requestSeconds' | 'onNote'>;
}
