import type { StoredImage } from './image-store.ts';
import { image, type MessagePart } from './message-parts.ts';

export type ChatRole = 'system' | 'user' | 'assistant' | 'tool';

/**
 * A message of a chat request as pieces of JSON in UTF-8, with its images in their places: a later turn sends the
 * earlier ones without encoding them again.
 */
export type ChatMessage = readonly (Buffer | StoredImage)[];

/** Control tokens of the form `<|…|>`, as `<|im_end|>` and `<|image_pad|>`, by which many chat templates mark turns and images. */
const controlToken = /<(?=[|｜][^\s<>|｜]+[|｜]>)/g;

/** A text with a space in every control token of the form `<|…|>` or `<｜…｜>`; `</s>`, `[INST]` and other forms stay. */
const breakControlTokens = (text: string): string => text.replaceAll(controlToken, '< ');

/**
 * Encodes a message. Each image part takes the next of `images`; a message without images has its text as a plain
 * string, which every server reads.
 */
export const encodeMessage = (
  role: ChatRole,
  parts: readonly MessagePart[],
  images: readonly StoredImage[] = [],
): ChatMessage => {
  if (!parts.includes(image))
    return [Buffer.from(JSON.stringify({ role, content: breakControlTokens(parts.join('')) }))];
  const pieces: (Buffer | StoredImage)[] = [];
  let text = `{"role":"${role}","content":[`;
  let next = 0;
  for (const [index, part] of parts.entries()) {
    if (index) text += ',';
    if (part !== image) {
      text += JSON.stringify({ type: 'text', text: breakControlTokens(part) });
      continue;
    }
    const picture = images[next];
    next += 1;
    if (!picture)
      throw new RangeError(`expected an image for place ${next} of the message, got ${images.length} images`);
    pieces.push(Buffer.from(text), picture);
    text = '';
  }
  pieces.push(Buffer.from(`${text}]}`));
  return pieces;
};
