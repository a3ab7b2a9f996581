import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSandboxPlaces } from '../../episodes/sandbox-places.ts';

const isReady = async ({ ready }: { ready: Promise<void> }): Promise<boolean> => {
  const state = await Promise.race([ready.then(() => 'ready'), turn('waits')]);
  return state === 'ready';
};

test('who has a session comes before who needs one, and each in the order of asking', async () => {
  const places = createSandboxPlaces(1);
  const first = places.enter(false);
  const [opening, later, running] = [places.enter(false), places.enter(false), places.enter(true)];
  expect(await isReady(first)).toBe(true);
  const order: string[] = [];
  const follow = async (name: string, place: typeof first): Promise<void> => {
    await place.ready;
    order.push(name);
    place.leave();
  };
  const all = [follow('opening', opening), follow('later', later), follow('running', running)];
  first.leave();
  await Promise.all(all);
  expect(order).toEqual(['running', 'opening', 'later']);
});

test('who stops waiting takes no place, and leaving twice gives none back twice', async () => {
  const places = createSandboxPlaces(1);
  const first = places.enter(false);
  const second = places.enter(false);
  second.leave();
  second.leave();
  first.leave();
  first.leave();
  const [third, fourth] = [places.enter(false), places.enter(false)];
  expect(await isReady(third)).toBe(true);
  expect(await isReady(fourth)).toBe(false);
  expect(await isReady(second)).toBe(false);
});

test('whatever the order of coming and going, never more are inside than there are places, and all get in', () =>
  fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4 }), fc.array(fc.boolean(), { maxLength: 40 }), async (most, asks) => {
      const places = createSandboxPlaces(most);
      let inside = 0;
      let highest = 0;
      let served = 0;
      await Promise.all(
        asks.map(async (hasSession, index) => {
          const place = places.enter(hasSession);
          await place.ready;
          inside += 1;
          highest = Math.max(highest, inside);
          for (let step = 0; step <= index % 3; step += 1) await turn();
          inside -= 1;
          served += 1;
          place.leave();
        }),
      );
      expect(served).toBe(asks.length);
      expect(highest).toBe(Math.min(most, asks.length));
    }),
  ));
