import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import type { SampleSlot } from '../../evaluation/read-samples.ts';
import type { Sample } from '../../evaluation/sample-of-row.ts';
import { takenOnceEach } from '../../evaluation/taken-once.ts';

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

const task: Sample['task'] = {
  sampleId: 'test-3',
  dataSource: 'test',
  question: 'Which digit is this?',
  reference: '7',
  answerKind: 'number',
  family: 'digits',
  transform: 'identity',
};

/** Slots of one row whose `load` holds a batch, a weak hold on that batch, and how often the row was released. */
const slotsOf = (count: number) => {
  const batch = new Uint8Array(1000);
  const released = vi.fn();
  const load = async (): Promise<Sample> => ({ task, images: [batch], prompt: [] });
  const slots = takenOnceEach({ row: 3, sampleId: 'test-3', load, release: () => released() }, count);
  return { slots, released, batch: new WeakRef(batch) };
};

const firstOf = ([slot]: readonly SampleSlot[]): SampleSlot => {
  if (!slot) throw new Error('there is no slot');
  return slot;
};

const sizeOf = async ({ load }: SampleSlot): Promise<number> => (await load()).images[0]?.length ?? 0;

test('a slot is loaded once, and says so the second time', async () => {
  const slot = firstOf(slotsOf(1).slots);
  expect(slot).toMatchObject({ row: 3, sampleId: 'test-3' });
  expect(await sizeOf(slot)).toBe(1000);
  await expect(slot.load()).rejects.toThrow(/test-3 was loaded before/);
});

test('a slot that was released cannot be loaded', async () => {
  const slot = firstOf(slotsOf(2).slots);
  slot.release();
  await expect(slot.load()).rejects.toThrow(/test-3 was loaded before/);
});

test('a row is released once, when all of its slots are', async () => {
  const { slots, released } = slotsOf(3);
  for (const slot of slots) {
    expect(await sizeOf(slot)).toBe(1000);
    expect(released).not.toHaveBeenCalled();
    slot.release();
    slot.release();
  }
  expect(released).toHaveBeenCalledOnce();
});

test('who holds a slot that was loaded and released does not hold the batch of its row', async () => {
  const { slots, batch } = slotsOf(1);
  const slot = firstOf(slots);
  expect(await sizeOf(slot)).toBe(1000);
  slot.release();
  await expect
    .poll(() => {
      collect();
      return batch.deref() === undefined;
    })
    .toBe(true);
  expect(slot.row).toBe(3);
});
