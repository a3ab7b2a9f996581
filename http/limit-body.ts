import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';

/**
 * A check for handlers: the answer 413 to a request whose body has more than `maxSize` bytes, or undefined.
 *
 * Hono's own limit asks every request for its body as a stream, which takes longer than all else of a short one; here
 * only those are that do not say how long they are.
 */
export const limitBody = (maxSize: number) => {
  const whileRead = bodyLimit({ maxSize });
  return (context: Context): Response | undefined | Promise<Response | undefined> => {
    const length = context.req.header('content-length');
    if (length === undefined || context.req.header('transfer-encoding') !== undefined) {
      return whileRead(context, () => Promise.resolve()).then((response) => response ?? undefined);
    }
    return Number(length) > maxSize ? context.text('Payload Too Large', 413) : undefined;
  };
};
