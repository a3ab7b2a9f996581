import type { StoredImage } from './image-store.ts';
import { image, type MessagePart } from './message-parts.ts';

/** A message of a chat request, already JSON in UTF-8: a later turn sends the earlier ones without encoding them again. */
export type ChatMessage = Buffer;

const comma = Buffer.from(',');

const joined = (buffers: readonly Buffer[]): Buffer[] =>
  buffers.flatMap((buffer, index) => (index ? [comma, buffer] : [buffer]));

/**
 * Encodes a message. Each image part takes the next of `images`; a message without images has its text as a plain
 * string, which every server reads.
 */
export const encodeMessage = (
  role: 'system' | 'user' | 'assistant' | 'tool',
  parts: readonly MessagePart[],
  images: readonly StoredImage[] = [],
): ChatMessage => {
  if (!parts.includes(image)) return Buffer.from(JSON.stringify({ role, content: parts.join('') }));
  let next = 0;
  const content = parts.map((part) => {
    if (part !== image) return Buffer.from(JSON.stringify({ type: 'text', text: part }));
    const picture = images[next];
    next += 1;
    if (!picture)
      throw new RangeError(`expected an image for place ${next} of the message, got ${images.length} images`);
    return picture.part;
  });
  return Buffer.concat([Buffer.from(`{"role":"${role}","content":[`), ...joined(content), Buffer.from(']}')]);
};

/** The body of a chat request: `fields` and the encoded messages. */
export const encodeRequest = (
  fields: Readonly<Record<string, string | number | boolean>>,
  messages: readonly ChatMessage[],
): Buffer =>
  Buffer.concat([
    Buffer.from(`${JSON.stringify(fields).slice(0, -1)},"messages":[`),
    ...joined(messages),
    Buffer.from(']}'),
  ]);
