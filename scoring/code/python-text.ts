const token = /("""|''')[\s\S]*?(?:\1|$)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*/g;

/** Python source without comments; with `strings: 'blank'` each string is `""`. */
export const withoutComments = (code: string, { strings }: { strings: 'keep' | 'blank' }): string =>
  code.replaceAll(token, (found) => (found.startsWith('#') ? '' : strings === 'blank' ? '""' : found));

const statements = (code: string): string[] =>
  withoutComments(code, { strings: 'blank' })
    .split(/[\n;]/)
    .map((line) => line.trim())
    .filter((line) => line !== '');

const doesNothing = /^(?:pass|""|\.\.\.|import\b.*|from\b.*\bimport\b.*)$/;

/** Whether a program is nothing but comments, texts, imports and `pass`. */
export const isEmptyCode = (code: string): boolean => statements(code).every((line) => doesNothing.test(line));

const literal = String.raw`(?:[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?|[rbu]?""|True|False|None)`;
const value = String.raw`(?:${literal}|[A-Za-z_]\w*)`;
const constantLine = new RegExp(
  String.raw`^(?:[A-Za-z_]\w*\s*=\s*${literal}|print\(\s*(?:${value}(?:\s*,\s*${value})*)?\s*,?\s*\)|${literal})$`,
);

/**
 * Whether a program can only print what is written in it: constants, names of constants, prints of both. What it says
 * of the image came from nowhere. A program that computes anything at all is not one.
 */
export const isConstantCode = (code: string): boolean => {
  const lines = statements(code).filter((line) => !doesNothing.test(line));
  // An f-string may compute inside its braces.
  return lines.length > 0 && !/\bf["']/.test(code) && lines.every((line) => constantLine.test(line));
};
