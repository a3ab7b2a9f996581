const wrappers: readonly RegExp[] = [
  /^\*\*([^*]+)\*\*([.,]?)$/s,
  /^\*([^*]+)\*([.,]?)$/s,
  /^__([^_]+)__([.,]?)$/s,
  /^`+([^`]+)`+([.,]?)$/s,
  /^\$\$([^$]+)\$\$([.,]?)$/s,
  /^\$([^$]+)\$([.,]?)$/s,
  /^\\\((.+)\\\)([.,]?)$/s,
  /^\\\[(.+)\\\]([.,]?)$/s,
  /^"([^"]+)"([.,]?)$/s,
  /^“([^“”]+)”([.,]?)$/s,
  /^'([^']+)'([.,]?)$/s,
  /^‘([^‘’]+)’([.,]?)$/s,
  /^\\(?:text|textbf|mathrm|mathbf|textit)\s*\{([^{}]*)\}([.,]?)$/s,
];

/** Spaces, minus signs and invisible characters in the one form that the rules read. */
const sameCharacters = (text: string): string =>
  text
    .replaceAll(/[\u200b-\u200d\u2060\ufeff]/g, '')
    .replaceAll(/[\u00a0\u2007\u202f]/g, ' ')
    .replaceAll(/[\u2212\u2012\ufe63]/g, '-')
    .replaceAll(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0));

/** The contents of every `\boxed{…}`, with braces counted. */
export const boxedTexts = (text: string): string[] => {
  const found: string[] = [];
  for (const { index, 0: mark } of text.matchAll(/\\(?:boxed|fbox)\s*\{/g)) {
    const start = index + mark.length;
    let depth = 1;
    let end = start;
    for (; end < text.length && depth > 0; end += 1) depth += text[end] === '{' ? 1 : text[end] === '}' ? -1 : 0;
    if (depth === 0) found.push(text.slice(start, end - 1).trim());
  }
  return found;
};

/** A text without the marks of Markdown, LaTeX and quotation that stand around all of it. */
export const plainText = (text: string): string => {
  let plain = sameCharacters(text).trim();
  for (let changed = true; changed; ) {
    changed = false;
    for (const pattern of wrappers) {
      const [, inner, end = ''] = pattern.exec(plain) ?? [];
      if (inner === undefined) continue;
      plain = `${inner.trim()}${end}`;
      changed = true;
    }
  }
  return plain;
};
