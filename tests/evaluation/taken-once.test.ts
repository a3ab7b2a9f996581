import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test } from 'vitest';
import type { SampleSlot } from '../../evaluation/read-samples.ts';
import type { Sample } from '../../evaluation/sample-of-row.ts';
import { takenOnce } from '../../evaluation/taken-once.ts';

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

/** A slot whose `load` holds a batch, and a weak hold on that batch. */
const slotOf = (): { slot: SampleSlot; batch: WeakRef<Uint8Array> } => {
  const batch = new Uint8Array(1000);
  const load = async (): Promise<Sample> => ({ task, images: [batch], prompt: [] });
  return { slot: takenOnce({ row: 3, sampleId: 'test-3', load }), batch: new WeakRef(batch) };
};

const sizeOf = async ({ load }: SampleSlot): Promise<number> => (await load()).images[0]?.length ?? 0;

test('a slot is loaded once, and says so the second time', async () => {
  const { slot } = slotOf();
  expect(slot).toMatchObject({ row: 3, sampleId: 'test-3' });
  expect(await sizeOf(slot)).toBe(1000);
  await expect(slot.load()).rejects.toThrow(/test-3 was loaded before/);
});

test('who holds a slot that was loaded does not hold the batch of its row', async () => {
  const { slot, batch } = slotOf();
  expect(await sizeOf(slot)).toBe(1000);
  await expect
    .poll(() => {
      collect();
      return batch.deref() === undefined;
    })
    .toBe(true);
  expect(slot.row).toBe(3);
});
