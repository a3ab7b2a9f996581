/**
 * The stable names of what can go wrong. The same string is the `type` of the `ApplicationFailure` that Temporal
 * sees, the `type` in an `outcome.json` of a trainer, and the word in messages and documents.
 */
export const failureTypes = [
  'config',
  'data',
  'auth',
  'infrastructure',
  'out_of_memory',
  'disk_full',
  'stall',
  'crash_loop',
  'cancelled',
  'undecided',
] as const;
export type FailureType = (typeof failureTypes)[number];

/** Trying again cannot help: the same input gives the same failure. */
export const nonRetryableFailures: readonly FailureType[] = [
  'config',
  'data',
  'auth',
  'disk_full',
  'crash_loop',
  'undecided',
];

/** Thrown for every expected failure; `where` names the place in the input, the file or the address. */
export class LensmithError extends Error {
  readonly type: FailureType;
  readonly where: string | undefined;

  constructor(type: FailureType, message: string, options: { where?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'LensmithError';
    this.type = type;
    this.where = options.where;
  }
}

export const isFailureType = (value: unknown): value is FailureType =>
  typeof value === 'string' && (failureTypes as readonly string[]).includes(value);
