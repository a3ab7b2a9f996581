import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { takeTurns } from '../../sandbox/take-turns.ts';

/** An action that ends when it is told to. */
const held = () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { action: () => promise, end: resolve };
};

test('actions run in their order, so many at a time, and a failed one gives up its turn', async () => {
  const inTurn = takeTurns(2, 60_000);
  const started: number[] = [];
  const holds = [held(), held(), held(), held()];
  const done = holds.map(({ action }, index) =>
    inTurn(async () => {
      started.push(index);
      await action();
      if (index === 0) throw new Error('failed');
      return index;
    }).catch(() => 'failed'),
  );
  await delay(1);
  expect(started).toEqual([0, 1]);
  holds[0]?.end();
  await done[0];
  await delay(1);
  expect(started).toEqual([0, 1, 2]);
  for (const { end } of holds) end();
  expect(await Promise.all(done)).toEqual(['failed', 1, 2, 3]);
});

test('one that takes too long gives its turn to the next and still gives its value', async () => {
  const inTurn = takeTurns(1, 20);
  const slow = held();
  const first = inTurn(async () => {
    await slow.action();
    return 'slow';
  });
  expect(await inTurn(async () => 'next')).toBe('next');
  slow.end();
  expect(await first).toBe('slow');
  const side = { now: 0, most: 0 };
  await Promise.all(
    Array.from({ length: 5 }, () =>
      inTurn(async () => {
        side.now += 1;
        side.most = Math.max(side.most, side.now);
        await delay(1);
        side.now -= 1;
      }),
    ),
  );
  expect(side.most).toBe(1);
});
