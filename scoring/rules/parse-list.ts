import { plainText } from './plain-text.ts';

const fromJson = (text: string): string[] | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) && value.every((item) => ['string', 'number', 'boolean'].includes(typeof item))
      ? value.map(String)
      : undefined;
  } catch {
    return undefined;
  }
};

/** Between items; a comma between digits is one only before a space, for `1,234` is a number. */
const separator = /\s*(?:;|\n|,\s+and\s+|,(?!\d{3}(?!\d))|,\s+|\s+and\s+|\s+&\s+)\s*/;

/** The items of a list: JSON, `['a', 'b']`, lines with bullets, `a, b and c`. A text without separators is one item. */
export const parseList = (text: string): string[] => {
  const plain = plainText(text).replace(/\.$/, '').trim();
  const items = fromJson(plain) ?? plain.replace(/^[[({]([\s\S]*)[\])}]$/, '$1').split(separator);
  return items
    .map((item) => plainText(item.trim().replace(/^(?:[-*•]|\d+[.)]|and)\s+/, '')))
    .filter((item) => item !== '');
};
