/** A version as a part of an address: `v1`, `v4`, `v1beta2`. */
const version = /^v\d+((alpha|beta)\d*)?$/;

/**
 * The address of an OpenAI API as its clients take it. `/v1` is added, except where the address ends in it or where any
 * part of its path is another version: `/v4`, `/api/v3`, `/v1beta/openai`. A `v1` before its end is a part as any other.
 */
export const apiBase = (url: string): string => {
  const base = url.replace(/\/+$/, '');
  const isVersioned = base.split('/').some((part) => part !== 'v1' && version.test(part));
  return isVersioned || base.endsWith('/v1') ? base : `${base}/v1`;
};
