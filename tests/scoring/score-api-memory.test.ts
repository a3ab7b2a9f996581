import { expect, it } from 'vitest';
import { createResponseMemory } from '../../scoring/response-memory.ts';

const entry = (weight: number, response: Promise<string> = Promise.resolve('r')) => ({
  bodyDigest: 'd',
  weight,
  response,
});

it('lets the oldest go when the weights exceed the limit, never the newest', () => {
  const memory = createResponseMemory<string>({ weight: 10 });
  for (const id of ['a', 'b', 'c']) memory.keep(id, entry(4));
  expect(['a', 'b', 'c'].map((id) => memory.find(id, 'd')?.kind)).toEqual([undefined, 'known', 'known']);
  memory.keep('large', entry(50));
  expect(['b', 'c', 'large'].map((id) => memory.find(id, 'd')?.kind)).toEqual([undefined, undefined, 'known']);
});

it('knows another body under the same id, and forgets a failure', async () => {
  const memory = createResponseMemory<string>({ weight: 10 });
  memory.keep('a', entry(1));
  expect(memory.find('a', 'other')).toEqual({ kind: 'conflict' });
  const failing = Promise.reject(new Error('lost'));
  memory.keep('b', entry(1, failing));
  await expect(failing).rejects.toThrow('lost');
  expect(memory.find('b', 'd')).toBeUndefined();
});
