import type { Context } from 'hono';
import { bodyLimit } from 'hono/body-limit';

/**
 * A check for handlers: the answer 413 to a request whose body has more than `maxSize` bytes, 400 to one that ends before
 * it is whole, or undefined.
 *
 * Hono's own limit asks every request for its body as a stream, which takes longer than all else of a short one; here
 * only those are that do not say how long they are.
 */
export const limitBody = (maxSize: number) => {
  const refuse = (context: Context, status: 400 | 413, message: string): Response =>
    context.json({ error: { type: 'data', message } }, status);
  const tooLong = (context: Context): Response =>
    refuse(context, 413, `expected a body of at most ${maxSize} bytes; send less at a time`);
  const whileRead = bodyLimit({ maxSize, onError: tooLong });
  return (context: Context): Response | undefined | Promise<Response | undefined> => {
    const length = context.req.header('content-length');
    if (length === undefined || context.req.header('transfer-encoding') !== undefined) {
      return whileRead(context, () => Promise.resolve()).then(
        (response) => response ?? undefined,
        (cause: unknown) => refuse(context, 400, `expected a whole body: ${String(cause)}`),
      );
    }
    return Number(length) > maxSize ? tooLong(context) : undefined;
  };
};
