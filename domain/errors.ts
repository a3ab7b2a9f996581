/**
 * The stable names of what can go wrong. The same string is the `type` of the `ApplicationFailure` that Temporal
 * sees, the `type` in an `outcome.json` of a trainer, and the word in messages and documents.
 */
export const failureTypes = [
  /** The spec, a command line or a model that cannot work as it is. */
  'config',
  'data',
  /** A token or a right is missing. */
  'auth',
  /** A program ended by an error of its own code. */
  'user_code',
  /** What failed outside of the program and has no class of its own. */
  'infrastructure',
  /** The worker that followed the work was lost. */
  'worker_lost',
  /** Ray's head does not answer or has forgotten the job. */
  'ray_head',
  /** Somebody else took the program or its machine away. */
  'preemption',
  'port',
  /** No GPU could be opened at the start. */
  'cuda_init',
  /** A GPU that worked failed. */
  'gpu_fault',
  /** A collective operation between GPUs failed or hung. */
  'nccl',
  /** Of the GPU; also of the process, where a program does not say which. */
  'out_of_memory',
  /** Of the machine. */
  'host_memory',
  'disk_full',
  'stall',
  'crash_loop',
  /** What the spec allows to be used is used up. */
  'budget',
  'cancelled',
  'undecided',
] as const;
export type FailureType = (typeof failureTypes)[number];

/** Trying again cannot help: the same input gives the same failure. */
export const permanentFailures = ['config', 'data', 'auth', 'crash_loop', 'budget', 'cancelled', 'undecided'] as const;
export type PermanentFailure = (typeof permanentFailures)[number];

export const isPermanentFailure = (type: FailureType): type is PermanentFailure =>
  (permanentFailures as readonly FailureType[]).includes(type);

/** Thrown for every expected failure; `where` names the place in the input, the file or the address. */
export class LensmithError extends Error {
  readonly type: FailureType;
  readonly where: string | undefined;
  /** What the one who decides about another attempt has to know; plain JSON. */
  readonly details: unknown;

  constructor(
    type: FailureType,
    message: string,
    options: { where?: string; cause?: unknown; details?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LensmithError';
    this.type = type;
    this.where = options.where;
    this.details = options.details;
  }
}

export const isFailureType = (value: unknown): value is FailureType =>
  typeof value === 'string' && (failureTypes as readonly string[]).includes(value);
