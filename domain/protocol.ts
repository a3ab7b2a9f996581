import { z } from 'zod';
import { callOutcomes } from './sandbox.ts';

const template = z.string().refine((text) => text.indexOf('{images}') === text.lastIndexOf('{images}'), {
  message: 'expected {images} at most once: each image has one place',
});

const fields = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  version: z.int().positive(),
  /**
   * How code is marked; the answer is the last complete `<answer>…</answer>` in each. An answer ends the episode and
   * code of the same turn is not run.
   *
   * - `code-fence`: the first complete `<code>` … `</code>` holding a ```` ```python ```` fence.
   * - `code-or-fence`: the same; where a turn has none, the first complete Python fence.
   * - `tool-call`: the first complete `<tool_call>` … `</tool_call>` holding the JSON object
   *   `{"name", "arguments": {"code", "description", "image_index"}}`, with at most 100 levels of arrays and objects.
   */
  parser: z.enum(['code-fence', 'code-or-fence', 'tool-call']),
  /** System prompt; the empty string sends no system message. */
  system: z.string(),
  /** Text of the first user message, after its images. */
  question: z.string().includes('{question}'),
  toolMessage: z.strictObject({
    role: z.enum(['user', 'tool']),
    /** One template an outcome. */
    templates: z.record(z.enum(callOutcomes), template),
  }),
  /** Sent when a turn has neither code nor answer; null ends the episode there as answered, without an answer. */
  continueMessage: z.string().nullable(),
  /** Appended to the last tool message before the turn cap; null appends nothing. */
  lastTurnMessage: z.string().nullable(),
  /** Names under which code sees the input image: a PIL image, and a file in the working directory. */
  variables: z.strictObject({ image: z.string(), file: z.string() }),
  state: z.enum(['stateful', 'stateless']),
  /**
   * Of the parser `tool-call`: each call works on one image of the trajectory, which it names by `image_index` (the
   * inputs first, then what calls returned, in order) and which is all that its session holds.
   */
  imageCall: z
    .strictObject({
      /** Name of the tool that a call has to give. */
      tool: z.string().min(1),
      /** Python that runs in the session before the code. */
      before: z.string(),
      /** Python that runs there after code that did not fail; its last expression is the image to return. */
      after: z.string(),
    })
    .optional(),
  limits: z.strictObject({
    /** Model turns an episode may have. */
    turns: z.int().positive(),
    /** Wall clock of one call, seconds. */
    callSeconds: z.number().positive(),
    /** Address space of one call, MiB. */
    memoryMib: z.int().positive(),
    /** Characters of stdout and of an error message that the model gets; head and tail are kept. */
    outputCharacters: z.int().positive(),
    /** Images a call may return. */
    imagesPerCall: z.int().nonnegative(),
    /** Sides of an image that the model gets, pixels: smaller ones are enlarged, larger ones shrunk, ratio kept. */
    minimumSide: z.int().positive(),
    maximumSide: z.int().positive(),
  }),
});

/**
 * A protocol is what a model sees of the world: prompts, how code is marked, what comes back. It is data, so that the
 * TypeScript loop (datasets, evaluation) and the Python loop (RL) read the same file.
 *
 * Templates hold `{question}`, `{stdout}`, `{error}`, `{seconds}` and `{images}`; a brace that is none of these stays
 * as it is. `{images}` marks where the images of the result stand; a template without it returns no images.
 * `{stdout}` is the call's standard output with its last line break removed.
 */
export const protocolSchema = fields.refine(
  ({ parser, state, imageCall }) =>
    parser === 'tool-call' ? imageCall !== undefined && state === 'stateless' : imageCall === undefined,
  {
    path: ['imageCall'],
    message: 'expected imageCall and the state "stateless" with the parser "tool-call", and no imageCall with others',
  },
);
export type Protocol = z.infer<typeof protocolSchema>;

/** Names a protocol in a result; `digest` is the SHA-256 of the protocol file's bytes. */
export const protocolRefSchema = z.strictObject({ name: z.string(), version: z.int(), digest: z.string() });
export type ProtocolRef = z.infer<typeof protocolRefSchema>;
