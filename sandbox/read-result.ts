import { z } from 'zod';
import { callErrorSchema, callOutcomes, type ExecutionResult, producedImageSchema } from '../domain/sandbox.ts';
import type { GuestMessage } from './frames.ts';
import { returnedImage } from './returned-image.ts';

type Result = Omit<ExecutionResult, 'isolation'>;

const fields = { stdout: z.string(), stderr: z.string(), error: callErrorSchema.nullable() };

const resultSchema = z.object({
  ...fields,
  outcome: z.enum(callOutcomes),
  images: z.array(producedImageSchema.omit({ data: true })),
  durationMs: z.number().nonnegative(),
});

/** The result in a guest's message: the bytes of its images are the parts. */
export const readResult = ({ content, parts }: GuestMessage): Result | undefined => {
  const { data } = resultSchema.safeParse(content);
  if (!data || data.images.length !== parts.length) return undefined;
  const images = data.images.map((image, index) => returnedImage(image, parts[index] ?? Buffer.alloc(0)));
  return { ...data, images };
};

const directSchema = z.object({
  ...fields,
  outcome: z.enum(['ok', 'no_output', 'exception', 'memory']),
  images: z.tuple([]),
});

/** Characters, as the guest counts them. */
const isAtMost = (text: string, characters: number): boolean =>
  text.length <= characters || [...text].length <= characters;

/**
 * The result that an interpreter tells itself, without images. What of it does not hold, the code has changed: texts have at
 * most `characters`.
 */
export const readDirectResult = (
  { content }: GuestMessage,
  characters: number,
): Omit<Result, 'durationMs'> | undefined => {
  const { data } = directSchema.safeParse(content);
  if (!data) return undefined;
  const { stdout, stderr, error, outcome } = data;
  const texts = [stdout, stderr, ...(error ? [error.type, error.message, error.traceback] : [])];
  const isRight = (error === null) === (outcome === 'ok' || outcome === 'no_output');
  return isRight && texts.every((text) => isAtMost(text, characters)) ? data : undefined;
};
