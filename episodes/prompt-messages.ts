import { LensmithError } from '../domain/errors.ts';
import type { ChatRole } from './chat-message.ts';
import { image, imageParts, type MessagePart } from './message-parts.ts';

/** A message of a row's own prompt; `<image>` marks where the next image of the row stands. */
export interface PromptMessage {
  readonly role: string;
  readonly content: string;
}

/** A message as its places, and how many images it takes. */
export interface PromptParts {
  readonly role: ChatRole;
  readonly parts: readonly MessagePart[];
}

const mark = '<image>';
const roles = ['system', 'user', 'assistant', 'tool'] as const satisfies readonly ChatRole[];

const refused = (expected: string, came: string): LensmithError =>
  new LensmithError('data', `expected ${expected} in the row's own prompt, got ${came}`, { where: 'prompt' });

const partsOf = (content: string): MessagePart[] =>
  content.split(mark).flatMap((text, index): MessagePart[] => {
    const texts = text ? [text] : [];
    return index ? [image, ...texts] : texts;
  });

/**
 * A row's own prompt as message parts. A prompt without marks shows the images before the text of its first user
 * message, as the trainers do.
 *
 * @param images - Images of the row.
 * @throws LensmithError `data` where the prompt is empty or ends with the model's turn, a role is unknown, or the marks
 * are neither none nor as many as the images.
 */
export const promptParts = (prompt: readonly PromptMessage[], images: number): PromptParts[] => {
  const messages = prompt.map(({ role, content }) => {
    const known = roles.find((name) => name === role);
    if (!known) throw refused(`the roles ${roles.join(', ')}`, `"${role}"`);
    return { role: known, parts: partsOf(content) };
  });
  const last = messages.at(-1)?.role;
  if (last === undefined || last === 'assistant')
    throw refused('at least one message, the last one not of the assistant', last ?? 'none');
  const marks = messages.flatMap(({ parts }) => parts).filter((part) => part === image).length;
  if (marks === images) return messages;
  if (marks) throw refused(`as many marks ${mark} as the row has images (${images})`, `${marks}`);
  const first = messages.findIndex(({ role }) => role === 'user');
  if (first < 0) throw refused('a user message for the images', 'none');
  return messages.map((message, index) =>
    index === first ? { ...message, parts: [...imageParts(images), ...message.parts] } : message,
  );
};
