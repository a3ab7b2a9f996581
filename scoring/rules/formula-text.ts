import { plainText } from './plain-text.ts';

const functions =
  'sin|cos|tan|cot|sec|csc|arcsin|arccos|arctan|sinh|cosh|tanh|log|ln|exp|max|min|lim|pi|theta|alpha|beta|gamma|lambda|mu|sigma|phi|omega|infty|sqrt|cdot|times|div|frac|pm|cup|cap|le|ge|leq|geq|neq|deg';
const words = new RegExp(String.raw`(?<![\\\p{L}])(?!(?:${functions})(?!\p{L}))\p{L}{3,}`, 'u');

/** Units behind a value; the reference of a formula has them seldom. */
const unit =
  /(?:\\[,;! ]|\s|~)*(?:\\(?:text|mathrm)\s*\{\s*[\p{L}\s²³^./]*\}(?:\^\{?[23]\}?)?|(?<=\d\s?)(?:cm|mm|km|m|kg|g|units?|degrees?|cubic units|square units)(?:\^?[23²³])?)\s*$/u;

/**
 * A formula in the LaTeX that the library reads, from LaTeX or from plain signs such as `sqrt(2)`, `x²`, `π` and `≤`;
 * undefined for a text with words in it, which the library would read as a product of letters.
 */
export const formulaText = (text: string): string | undefined => {
  const plain = plainText(text)
    .replace(/[.,;]$/, '')
    .replaceAll(/\\left|\\right|\\displaystyle/g, '')
    .replaceAll(/\\[dt]frac/g, String.raw`\frac`)
    .replace(unit, '')
    .replaceAll(/(?<!\\)sqrt\s*\(([^()]*)\)/g, String.raw`\sqrt{$1}`)
    .replaceAll(/√\s*\(([^()]*)\)/g, String.raw`\sqrt{$1}`)
    .replaceAll(/√\s*(\d+|\p{L})/gu, String.raw`\sqrt{$1}`)
    .replaceAll(/(?<!\\)\b(pi|theta|alpha|beta|sin|cos|tan|log|ln|infty)\b/g, String.raw`\$1`)
    .replaceAll('π', String.raw`\pi `)
    .replaceAll('θ', String.raw`\theta `)
    .replaceAll('∞', String.raw`\infty `)
    .replaceAll('≤', String.raw`\le `)
    .replaceAll('≥', String.raw`\ge `)
    .replaceAll('×', String.raw`\times `)
    .replaceAll('·', String.raw`\cdot `)
    .replaceAll('**', '^')
    .replaceAll('*', String.raw`\cdot `)
    .replaceAll('°', String.raw`^\circ`)
    .replaceAll('²', '^2')
    .replaceAll('³', '^3')
    .trim();
  return plain === '' || plain.length > 500 || words.test(plain.replaceAll(/\\\p{L}+/gu, ' ')) ? undefined : plain;
};
