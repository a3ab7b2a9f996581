/**
 * Handles the items of an iterable with at most `concurrency` at a time. After the first failure nothing more is
 * begun, `stop` is called so that what runs can end early, and the failure is thrown once all has ended.
 */
export const forEachBounded = async <Item>(
  items: AsyncIterable<Item>,
  concurrency: number,
  handle: (item: Item) => Promise<void>,
  stop: (reason: unknown) => void,
): Promise<void> => {
  const iterator = items[Symbol.asyncIterator]();
  let failure: { readonly reason: unknown } | undefined;
  const work = async (): Promise<void> => {
    try {
      while (!failure) {
        const next = await iterator.next();
        if (next.done || failure) return;
        await handle(next.value);
      }
    } catch (reason) {
      if (!failure) {
        failure = { reason };
        stop(reason);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, concurrency) }, work));
  await iterator.return?.();
  if (failure) throw failure.reason;
};
