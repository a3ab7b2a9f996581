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

const text =
  /(?:(?<!\w)([A-Za-z]{1,2}))?("""[\s\S]*?(?:"""|$)|'''[\s\S]*?(?:'''|$)|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')|#[^\n]*/g;
const braces = /\{([^{}!:=]+)[^{}]*\}/g;

const depthOf = (line: string): number =>
  [...line].reduce((depth, sign) => depth + ('([{'.includes(sign) ? 1 : ')]}'.includes(sign) ? -1 : 0), 0);

/**
 * The statements of a program, in which each string is `""` and an f-string `formatted(…)` with what stands in its
 * braces; without comments, imports and what does nothing. One over several lines is one.
 */
export const statementsOf = (code: string): string[] => {
  const plain = code.replaceAll(text, (_, prefix: string | undefined, quoted: string | undefined) => {
    if (quoted === undefined) return '';
    if (!/f/i.test(prefix ?? '')) return '""';
    return `formatted(${[...quoted.replaceAll(/\{\{|\}\}/g, '').matchAll(braces)].map(([, value]) => value).join(', ')})`;
  });
  const joined: string[] = [];
  let open = 0;
  for (const line of plain.split(/[\n;]/)) {
    if (open > 0) joined.push(`${joined.pop()} ${line.trim()}`);
    else joined.push(line.trim());
    open = Math.max(0, open + depthOf(line));
  }
  return joined.filter((line) => line !== '' && !doesNothing.test(line));
};
