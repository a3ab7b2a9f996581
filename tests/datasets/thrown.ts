import { LensmithError } from '../../domain/errors.ts';

/** What a promise is rejected with, for a look at its type, message and place. */
export const thrown = async (work: Promise<unknown>): Promise<LensmithError> => {
  const error = await work.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (error instanceof LensmithError) return error;
  throw new Error(`expected a LensmithError, got ${String(error)}`);
};

/** Every item of a stream. */
export const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
};
