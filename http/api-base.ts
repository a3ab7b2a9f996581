/** A version as a part of an address: `v1`, `v4`, `v1beta`. */
const version = /^v\d+((alpha|beta)\d*)?$/;

/**
 * The address of an OpenAI API as its clients take it. `/v1` at its end may be left out; where the address has another
 * version, as in `/api/v3` and `/v1beta/openai`, nothing is added.
 */
export const apiBase = (url: string): string => {
  const base = url.replace(/\/+$/, '');
  return base.split('/').some((part) => version.test(part)) ? base : `${base}/v1`;
};
