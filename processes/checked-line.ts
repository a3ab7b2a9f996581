import { hash } from 'node:crypto';

const prefix = '{"checksum":"';
const middle = '","entry":';
const entryStart = prefix.length + 16 + middle.length;

const checksum = (body: string): string => hash('sha256', body).slice(0, 16);

/** A journal's line: JSON with the entry and the first 16 hex digits of the SHA-256 of the entry's text. */
export const encodeLine = (entry: unknown): string => {
  const body = JSON.stringify(entry);
  return `${prefix}${checksum(body)}${middle}${body}}\n`;
};

/** The text of a line's entry, which is JSON; undefined where the line is not whole. */
export const entryText = (line: string): string | undefined => {
  const body = line.slice(entryStart, -1);
  return line === `${prefix}${checksum(body)}${middle}${body}}` ? body : undefined;
};

/** The entry of a line; undefined where the line is not whole. */
export const decodeLine = (line: string): unknown => {
  const body = entryText(line);
  return body === undefined ? undefined : JSON.parse(body);
};
