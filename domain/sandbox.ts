import { z } from 'zod';

/**
 * What became of a call, as the executor saw it. `no_output` ran to its end and gave neither text nor image; `policy`
 * was refused before or while it ran; `infrastructure` says nothing about the code and may be tried again.
 */
export const callOutcomes = ['ok', 'no_output', 'exception', 'timeout', 'memory', 'policy', 'infrastructure'] as const;
export type CallOutcome = (typeof callOutcomes)[number];

export const isolationLevels = ['namespaces', 'none'] as const;

export type Isolation = (typeof isolationLevels)[number];

const imageName = { name: z.string().optional() };
const keepable = { ...imageName, keep: z.boolean().default(false) };

/**
 * An image for a session: its bytes, in base64 where they come as JSON; a path that the supervisor's host can read; or
 * the SHA-256, in hex, of one that an earlier request asked to `keep`.
 */
export const imageInputSchema = z.union([
  z.strictObject({ data: z.base64(), ...keepable }),
  z.strictObject({ bytes: z.custom<Uint8Array>((value) => value instanceof Uint8Array), ...keepable }),
  z.strictObject({ path: z.string(), ...keepable }),
  z.strictObject({ digest: z.string().regex(/^[0-9a-f]{64}$/), ...imageName }),
]);
export type ImageInput = z.infer<typeof imageInputSchema>;

/** What a session is. */
export const sessionRequestSchema = z.strictObject({
  sessionId: z
    .string()
    .regex(/^[A-Za-z0-9_.:-]{1,128}$/)
    .optional(),
  /** The input images; the first is bound to `variables.image` and saved as `variables.file`. */
  images: z.array(imageInputSchema).default([]),
  variables: z
    .strictObject({ image: z.string(), file: z.string() })
    .default({ image: 'input_image', file: 'input_image.jpg' }),
  state: z.enum(['stateful', 'stateless']).default('stateful'),
  /**
   * When a session gets ready to undo its next call. `ahead`, right after each call, is best for the latency of the next
   * one; `when_needed`, as the next one comes, is best for the throughput of many sessions of few calls.
   */
  rollback: z.enum(['ahead', 'when_needed']).default('ahead'),
  limits: z
    .strictObject({
      callSeconds: z.number().positive().max(600).default(15),
      /** The kernel counts address space in 63 bits, and takes less than all of them: at most 1 PiB. */
      memoryMib: z
        .int()
        .positive()
        .max(2 ** 30)
        .default(1024),
      outputCharacters: z.int().positive().default(8192),
      imagesPerCall: z.int().nonnegative().default(8),
      minimumSide: z.int().positive().default(1),
      maximumSide: z.int().positive().default(8192),
      /** The longer side of a returned image over its shorter one; more is an exception, as processors refuse it. */
      maximumAspect: z.number().min(1).default(200),
    })
    .prefault({}),
  /** Seconds without a call after which the session ends by itself. */
  idleSeconds: z.number().positive().default(600),
  /** Seconds after which the session ends, whatever it does; longer than an episode may take. */
  totalSeconds: z.number().positive().default(7200),
});
export type SessionRequest = z.infer<typeof sessionRequestSchema>;
export type SessionOptions = z.input<typeof sessionRequestSchema>;

/** Body of `POST /v1/sessions/{id}/executions`. */
export const executionRequestSchema = z.strictObject({
  code: z.string(),
  /** Lowers the session's `callSeconds` for this call, seconds. */
  seconds: z.number().positive().optional(),
  /** The same id as the call before it returns that call's result and runs nothing: for who lost the answer. */
  executionId: z.string().min(1).max(128).optional(),
});
export type ExecutionRequest = z.infer<typeof executionRequestSchema>;

/**
 * Body of `POST /v1/sessions`. The same `sessionId` again returns the session that exists.
 *
 * With an `execution` the answer has its result too, for one way there and back less. Its `executionId` is the
 * `sessionId` where it has none: who lost the answer and asks again gets the result, and nothing runs twice.
 */
export const openingRequestSchema = sessionRequestSchema.extend({ execution: executionRequestSchema.optional() });
export type OpeningRequest = z.input<typeof openingRequestSchema>;

/** An image that code returned: PNG bytes in base64, SHA-256 of those bytes in hex, size in pixels. */
export const producedImageSchema = z.strictObject({
  digest: z.string(),
  mediaType: z.literal('image/png'),
  width: z.int().positive(),
  height: z.int().positive(),
  data: z.base64(),
});
/** In the process that got it from the guest it has its bytes too, and `data` is encoded where it is read. */
export type ProducedImage = z.infer<typeof producedImageSchema> & { readonly bytes?: Uint8Array };

export const callErrorSchema = z.strictObject({
  /** Python's exception class, or the name of the limit. */
  type: z.string(),
  message: z.string(),
  /** 1-based line of the user's code, where known. */
  line: z.int().nullable(),
  /** Cut to the user's frames. */
  traceback: z.string(),
});
export type CallError = z.infer<typeof callErrorSchema>;

/** The typed result of one call. `durationMs` is its wall time, with or without the way to the guest and back. */
export const executionResultSchema = z.strictObject({
  outcome: z.enum(callOutcomes),
  stdout: z.string(),
  stderr: z.string(),
  images: z.array(producedImageSchema),
  error: callErrorSchema.nullable(),
  durationMs: z.number().nonnegative(),
  isolation: z.enum(isolationLevels),
});
export type ExecutionResult = Omit<z.infer<typeof executionResultSchema>, 'images'> & {
  readonly images: readonly ProducedImage[];
};

export const sessionResponseSchema = z.strictObject({
  sessionId: z.string(),
  isolation: z.enum(isolationLevels),
  /** Of the request's `execution`. */
  result: executionResultSchema.optional(),
});
export type SessionResponse = Omit<z.infer<typeof sessionResponseSchema>, 'result'> & {
  readonly result?: ExecutionResult;
};
