import { expect, test } from 'vitest';
import { loadAhead } from '../../evaluation/load-ahead.ts';

async function* numbers(count: number): AsyncGenerator<number> {
  for (let number = 0; number < count; number += 1) yield number;
}

const taken = async (items: AsyncIterable<number>): Promise<number[]> => {
  const all: number[] = [];
  for await (const item of items) all.push(item);
  return all;
};

test('items come in their order, whichever is loaded first', async () => {
  const waiting: (() => void)[] = [];
  const load = async (item: number): Promise<number> => {
    await new Promise<void>((resolve) => waiting.push(resolve));
    // The last one that was begun is ready first.
    waiting.pop()?.();
    return item * 10;
  };
  const loaded = taken(loadAhead(numbers(5), 5, load));
  await expect.poll(() => waiting.length).toBe(5);
  waiting.pop()?.();
  expect(await loaded).toEqual([0, 10, 20, 30, 40]);
});

test('no more are loaded than may be, however many there are', async () => {
  let begun = 0;
  const loads = loadAhead(numbers(100), 4, async (item) => {
    begun += 1;
    return item;
  });
  for (let count = 1; count <= 20; count += 1) {
    expect((await loads.next()).value).toBe(count - 1);
    expect(begun).toBe(count + 3);
  }
  await loads.return(undefined);
  expect(begun).toBe(23);
});

test('a load that fails throws when it is its turn', async () => {
  const loads = loadAhead(numbers(6), 3, async (item) => {
    if (item === 1) throw new Error('torn');
    return item;
  });
  expect(await loads.next()).toEqual({ done: false, value: 0 });
  await expect(loads.next()).rejects.toThrow('torn');
  expect(await loads.next()).toEqual({ done: true, value: undefined });
});
