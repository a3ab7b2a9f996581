import { z } from 'zod';
import { taskAnswerKinds } from './answer-kind.ts';
import { taskNeedsSchema } from './image-location.ts';
import { protocolRefSchema } from './protocol.ts';
import { callErrorSchema, callOutcomes, isolationLevels } from './sandbox.ts';

/** How an episode ended. Only the first three say something about the model. */
export const episodeEndings = [
  'answered',
  'turn_limit',
  'context_limit',
  'time_limit',
  'model_error',
  'sandbox_error',
  'data_error',
] as const;
export type EpisodeEnding = (typeof episodeEndings)[number];

/** An image by the SHA-256 of its encoded bytes; the bytes are held once, outside the trace. */
export const imageRefSchema = z.strictObject({
  digest: z.string(),
  width: z.int().positive(),
  height: z.int().positive(),
});
export type ImageRef = z.infer<typeof imageRefSchema>;

export const callSchema = z.strictObject({
  /** What the model wants to run; of a call that was refused for its form, the text between its marks. */
  code: z.string(),
  /** Of the parser `tool-call`: the image that the call names, and what the model says that it does. */
  imageIndex: z.int().nonnegative().optional(),
  description: z.string().optional(),
  outcome: z.enum(callOutcomes),
  stdout: z.string(),
  stderr: z.string(),
  images: z.array(imageRefSchema),
  error: callErrorSchema.nullable(),
  durationMs: z.number().nonnegative(),
  isolation: z.enum(isolationLevels),
});
export type Call = z.infer<typeof callSchema>;

/** One turn of the model: what it wrote, and the call that this led to, if any. */
export const turnSchema = z.strictObject({
  text: z.string(),
  finishReason: z.string(),
  promptTokens: z.int().nonnegative(),
  completionTokens: z.int().nonnegative(),
  /** Base URL of the server that answered, or `local` for a rollout inside a trainer. */
  endpoint: z.string(),
  /** Unix time, milliseconds. */
  startedAt: z.number(),
  durationMs: z.number().nonnegative(),
  /** Requests that the turn took, the last one answered. */
  tries: z.int().positive().optional(),
  call: callSchema.nullable(),
  /** Text of the message that followed the turn, with `{images}` where images stood; null after the last turn. */
  reply: z.string().nullable(),
});
export type Turn = z.infer<typeof turnSchema>;

/** What is asked: one row of a data set, without its image bytes. */
export const taskSchema = z.strictObject({
  sampleId: z.string(),
  dataSource: z.string(),
  question: z.string(),
  reference: z.string(),
  /** Says which rule decides. */
  answerKind: z.enum(taskAnswerKinds),
  /** Group of tasks in reports, such as `orient`, `sum`, `count`. */
  family: z.string(),
  /** What was done to the image: `identity`, `rotate_90`, `rotate_180`, `rotate_270`, … counter-clockwise degrees. */
  transform: z.string(),
  /** Given, rewards credit and charge what code does to the image; without it only the answer and the calls count. */
  needs: taskNeedsSchema.optional(),
});
export type Task = z.infer<typeof taskSchema>;

/** The typed and complete record of one question, the model's turns, the tool calls, the answer. */
export const episodeSchema = z.strictObject({
  version: z.literal(1),
  episodeId: z.string(),
  /** Which of several episodes about the same task, from 0. */
  attempt: z.int().nonnegative().optional(),
  task: taskSchema,
  /** Whose words the question has: the protocol's, or the row's own prompt. @default protocol */
  prompt: z.enum(['protocol', 'dataset']).optional(),
  protocol: protocolRefSchema,
  model: z.string(),
  inputImages: z.array(imageRefSchema),
  turns: z.array(turnSchema),
  ending: z.enum(episodeEndings),
  /** Text inside the answer marks, trimmed; null where there is none. */
  answer: z.string().nullable(),
  /** Why an episode ended as one of the errors. */
  error: z.strictObject({ type: z.string(), message: z.string() }).nullable(),
});
export type Episode = z.infer<typeof episodeSchema>;
