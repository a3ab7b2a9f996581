/**
 * Loads items in their order, up to `count` of them before they are asked for: enough that none waits for a slow disk,
 * and no more, for what is loaded takes memory. A load that fails throws when it is its turn.
 */
export async function* loadAhead<Item, Loaded>(
  items: AsyncIterable<Item>,
  count: number,
  load: (item: Item) => Promise<Loaded>,
): AsyncGenerator<Loaded> {
  const loading: Promise<Loaded>[] = [];
  for await (const item of items) {
    const loaded = load(item);
    // Whoever stops early leaves it unasked for.
    loaded.catch(() => undefined);
    loading.push(loaded);
    const [first] = loading;
    if (loading.length < count || !first) continue;
    loading.shift();
    yield await first;
  }
  for (const loaded of loading) yield await loaded;
}
