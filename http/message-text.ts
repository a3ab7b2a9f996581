import { z } from 'zod';

const part = z.object({ type: z.string().optional(), text: z.string().optional().catch(undefined) });

/** The content of a model's message: a text, or a list of parts, of which those of text count. */
export const messageText = z
  .string()
  .or(
    z
      .array(part)
      .transform((parts) => parts.map(({ type = 'text', text = '' }) => (type === 'text' ? text : '')).join('')),
  );
