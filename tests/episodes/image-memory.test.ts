import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { Base64Text } from '../../episodes/base64-text.ts';
import { createImageMemory } from '../../episodes/image-memory.ts';
import { isQuiet } from '../../episodes/is-quiet.ts';

const imageOf = async (bytes: Buffer, digest = 'one') => ({ digest, base64: await Base64Text.of(bytes) });

test('an image goes when its last holder says so', async () => {
  const memory = createImageMemory<Awaited<ReturnType<typeof imageOf>>>(() => 1e6);
  const bytes = randomBytes(50_000);
  const image = memory.keep(await imageOf(bytes));
  expect(memory.find('one')).toBe(image);
  memory.release(image);
  expect(image.base64.decoded().equals(bytes)).toBe(true);
  memory.release(image);
  expect(memory.find('one')).toBeUndefined();
  expect(memory.bytes()).toBe(0);
  expect(() => image.base64.decoded()).toThrow('released');
  expect(() => image.base64.text()).toThrow('released');
  expect(image.base64.bytesInMemory).toBeUndefined();
  // What comes under the same digest later is another image.
  const later = memory.keep(await imageOf(bytes));
  memory.release(image);
  expect(memory.find('one')).toBe(later);
});

test('an image that is on its way to the disk when it goes gives its place there back', async () => {
  const memory = createImageMemory<Awaited<ReturnType<typeof imageOf>>>(() => 0);
  const bytes = randomBytes(50_000);
  const first = memory.keep(await imageOf(bytes));
  memory.release(first);
  const second = memory.keep(await imageOf(bytes, 'two'));
  await expect.poll(() => second.base64.bytesInMemory).toBeUndefined();
  expect(second.base64.decoded().equals(bytes)).toBe(true);
  memory.release(second);
  expect(() => second.base64.decoded()).toThrow('released');
  expect(memory.bytes()).toBe(0);
});

test('an episode is quiet when each turn was answered at once', () => {
  const turn = { text: '', finishReason: 'stop', promptTokens: 1, completionTokens: 1, call: null, reply: null };
  const turns = (...tries: number[]) =>
    tries.map((count) => ({ ...turn, endpoint: 'a', startedAt: 0, durationMs: 1, tries: count }));
  expect(isQuiet({ ending: 'answered', turns: turns(1, 1) })).toBe(true);
  expect(isQuiet({ ending: 'turn_limit', turns: turns(1) })).toBe(true);
  expect(isQuiet({ ending: 'answered', turns: turns(1, 2) })).toBe(false);
  expect(isQuiet({ ending: 'time_limit', turns: turns(1) })).toBe(false);
  expect(isQuiet({ ending: 'context_limit', turns: turns(1) })).toBe(false);
  expect(isQuiet({ ending: 'model_error', turns: [] })).toBe(false);
});
