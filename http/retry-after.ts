/**
 * Milliseconds above 0 that a header `Retry-After` asks for, as seconds or as a date; undefined without a readable one.
 * A time of 0, or one that is over, is none: the pause is the client's.
 */
export const retryAfterMs = (header: string | undefined, now = Date.now()): number | undefined => {
  const text = header?.trim() ?? '';
  const wait = /^\d+(?:\.\d+)?$/.test(text) ? 1000 * Number(text) : Date.parse(text) - now;
  return wait > 0 ? wait : undefined;
};
