import type { Protocol } from '../domain/protocol.ts';
import type { ExecutionResult } from '../domain/sandbox.ts';
import { fillTemplate, imageParts, type MessagePart } from './message-parts.ts';

/** The first user message: its images, then the text. */
export const questionParts = (protocol: Protocol, question: string, images: number): MessagePart[] => [
  ...imageParts(images),
  ...fillTemplate(protocol.question, { question }, 0),
];

/** What a tool message is made of. */
export type ToolMessageInput = Pick<ExecutionResult, 'outcome' | 'stdout' | 'error'> & {
  readonly images: readonly unknown[];
};

/**
 * The message after a call. A template without a place for images shows none.
 *
 * @param lastTurn - Whether the model's next turn is its last.
 */
export const toolMessageParts = (protocol: Protocol, result: ToolMessageInput, lastTurn: boolean): MessagePart[] => {
  const values = {
    stdout: result.stdout.replace(/\n$/, ''),
    error: result.error ? `${result.error.type}: ${result.error.message}` : '',
    seconds: String(protocol.limits.callSeconds),
  };
  const parts = fillTemplate(protocol.toolMessage.templates[result.outcome], values, result.images.length);
  return lastTurn && protocol.lastTurnMessage !== null ? [...parts, protocol.lastTurnMessage] : parts;
};
