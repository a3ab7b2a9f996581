/** What a turn of the model asks for: at most one of both, for an answer ends the episode. */
export interface ParsedTurn {
  readonly code: string | null;
  readonly answer: string | null;
}

const codePattern = /<code>\s*```python[^\S\n]*\n(.*?)```\s*<\/code>/s;
const answerPattern = /<answer>((?:(?!<answer>).)*?)<\/answer>/gs;

/**
 * Reads a turn by the rules of the parser `code-fence`: code is the first complete `<code>` that holds a Python fence,
 * without its last line break; the answer is the last complete `<answer>`, trimmed.
 */
export const parseTurn = (text: string): ParsedTurn => {
  const answer = [...text.matchAll(answerPattern)].at(-1)?.[1];
  if (answer !== undefined) return { code: null, answer: answer.trim() };
  const code = codePattern.exec(text)?.[1];
  return { code: code?.replace(/\n$/, '') ?? null, answer: null };
};
