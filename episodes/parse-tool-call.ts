import { z } from 'zod';
import { parseJson } from '../domain/parse-json.ts';

/** A call that works on one image of the trajectory, or a call whose form cannot be read. */
export type ImageCall =
  | { readonly kind: 'call'; readonly imageIndex: number; readonly description: string }
  | { readonly kind: 'refused'; readonly message: string };

const argumentsSchema = z.object({
  code: z.string(),
  description: z.string(),
  // Beyond the safe integers it is no number that a trace can hold.
  image_index: z.number().refine((index) => Number.isSafeInteger(index) && index >= 0),
});
const callSchema = z.object({ name: z.string(), arguments: argumentsSchema });

// An opening mark inside another begins anew, as it does for answers.
const callPattern = /<tool_call>((?:(?!<tool_call>).)*?)<\/tool_call>/s;

/** Whether arrays and objects stand in each other deeper than both loops read: Python's stack ends a little below 1000. */
const isDeep = (value: unknown, levels = 100): boolean =>
  typeof value === 'object' &&
  value !== null &&
  (levels === 0 || Object.values(value).some((inner) => isDeep(inner, levels - 1)));

/** Why a call's form is refused, as the model reads it; the same sentence in both loops. */
export const malformedCall = (tool: string): string =>
  `expected one JSON object {"name": "${tool}", "arguments": {"code": text, "description": text, "image_index": whole number from 0}} between the marks`;

/** Why a call's image is refused. */
export const unknownImage = (images: number): string =>
  images === 0
    ? 'there is no image that a call could name'
    : `expected an image_index from 0 to ${images - 1}, which are the images so far`;

/**
 * The first complete tool call of a turn, by the rules of the parser `tool-call`; null where there is none. The code of
 * a call that cannot be read is the text between its marks.
 *
 * @param tool - The name that the call has to give.
 */
export const parseToolCall = (text: string, tool: string): { code: string; imageCall: ImageCall } | null => {
  const body = callPattern.exec(text)?.[1];
  if (body === undefined) return null;
  const value = parseJson(body);
  const parsed = callSchema.safeParse(value);
  if (!parsed.success || parsed.data.name !== tool || isDeep(value))
    return { code: body, imageCall: { kind: 'refused', message: malformedCall(tool) } };
  const { code, description, image_index } = parsed.data.arguments;
  return { code, imageCall: { kind: 'call', imageIndex: image_index, description } };
};
