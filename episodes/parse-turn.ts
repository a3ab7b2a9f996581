import type { Protocol } from '../domain/protocol.ts';
import { type ImageCall, parseToolCall } from './parse-tool-call.ts';

/** What a turn of the model asks for: at most one of both, for an answer ends the episode. */
export interface ParsedTurn {
  readonly code: string | null;
  readonly answer: string | null;
  /** With the parser `tool-call` and code: what the call says besides, or why it cannot be run. */
  readonly imageCall?: ImageCall;
}

/** What a parser needs of a protocol. */
export type ParserRules = Pick<Protocol, 'parser' | 'imageCall'>;

// The classes name their characters, because \s is not the same set in Python.
const codePattern = /<code>[ \t\r\n]*```python[ \t\r]*\n(.*?)```[ \t\r\n]*<\/code>/s;
const fencePattern = /```python[ \t\r]*\n(.*?)```/s;
const answerPattern = /<answer>((?:(?!<answer>).)*?)<\/answer>/gs;

const fencedCode = (text: string, loose: boolean): string | null => {
  const code = (codePattern.exec(text) ?? (loose ? fencePattern.exec(text) : null))?.[1];
  return code?.replace(/\n$/, '') ?? null;
};

/**
 * Reads a turn by the rules of a protocol's parser (`protocolSchema`). Code comes without its last line break, the
 * answer is trimmed.
 */
export const parseTurn = (text: string, rules: ParserRules = { parser: 'code-fence' }): ParsedTurn => {
  const answer = [...text.matchAll(answerPattern)].at(-1)?.[1];
  if (answer !== undefined) return { code: null, answer: answer.trim() };
  if (rules.parser !== 'tool-call') return { code: fencedCode(text, rules.parser === 'code-or-fence'), answer: null };
  const called = parseToolCall(text, rules.imageCall?.tool ?? '');
  return called ? { ...called, answer: null } : { code: null, answer: null };
};
