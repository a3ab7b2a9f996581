import type { Context } from 'hono';
import { z } from 'zod';

const noJson = (cause: unknown): z.ZodError =>
  new z.ZodError([
    {
      code: 'custom',
      path: [],
      input: undefined,
      message: `expected a body of JSON: ${cause instanceof Error ? cause.message : String(cause)}`,
    },
  ]);

/** The body of a request, and what a schema makes of it. One that is no JSON, or breaks off, does not fit it either. */
export const readBody = async <Schema extends z.ZodType>(context: Context, schema: Schema) => {
  let text = '';
  try {
    text = await context.req.text();
    return { text, parsed: schema.safeParse(JSON.parse(text)) };
  } catch (cause) {
    return { text, parsed: { success: false as const, error: noJson(cause) } };
  }
};
