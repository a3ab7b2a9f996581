import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { Base64Text } from '../../episodes/base64-text.ts';
import { encodeMessage } from '../../episodes/chat-message.ts';
import { readImageHeader } from '../../episodes/image-header.ts';
import { createImageMemory } from '../../episodes/image-memory.ts';
import { createImageStore, expectEpisodes } from '../../episodes/image-store.ts';
import { isWholeImage } from '../../episodes/is-whole-image.ts';
import { image } from '../../episodes/message-parts.ts';
import { encodeRequest } from '../../episodes/request-body.ts';
import { createSpill } from '../../episodes/spill.ts';
import { takeBytes } from '../../sandbox/reused-bytes.ts';
import { png, producedImage } from './scripted-sandbox.ts';

const bodyText = async (body: ReturnType<typeof encodeRequest>): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of body.chunks()) chunks.push(chunk);
  const joined = Buffer.concat(chunks);
  expect(joined.length).toBe(body.length);
  return joined.toString('utf8');
};

test('a body is the JSON that its parts stand for', async () => {
  const store = createImageStore();
  const stored = await store.add(await png(30, 20));
  const messages = [
    encodeMessage('system', ['Say "ö".\n']),
    encodeMessage('user', [image, 'a "quoted" 😀', image], [stored, stored]),
  ];
  const url = `data:image/png;base64,${(await png(30, 20)).toString('base64')}`;
  const picture = { type: 'image_url', image_url: { url } };
  expect(JSON.parse(await bodyText(encodeRequest({ model: 'm', temperature: 0.5 }, messages)))).toEqual({
    model: 'm',
    temperature: 0.5,
    messages: [
      { role: 'system', content: 'Say "ö".\n' },
      { role: 'user', content: [picture, { type: 'text', text: 'a "quoted" 😀' }, picture] },
    ],
  });
  const kept = encodeRequest({ model: 'm' }, messages, () => 'kept');
  expect(kept.omits).toBe(true);
  expect(JSON.parse(await bodyText(kept)).messages[1].content[0]).toEqual({
    type: 'image_url',
    image_url: null,
    uuid: stored.digest,
  });
});

test.each([0, 1, 2, 3, 48 * 1024 - 1, 48 * 1024 + 1, 768 * 1024, 2_000_003])(
  'the base64 of %i bytes is that of Node, and decodes to them, from memory and from the disk',
  async (length) => {
    const bytes = randomBytes(length);
    const text = new Base64Text((await Base64Text.of(bytes)).text());
    expect(text.text()).toBe(bytes.toString('base64'));
    expect(text.decoded().equals(bytes)).toBe(true);
    await text.moveTo(createSpill());
    expect(text.bytesInMemory).toBeUndefined();
    expect(text.decoded().equals(bytes)).toBe(true);
  },
);

test('stores share an image that they have in common, given or produced', async () => {
  const produced = await producedImage(33, 21);
  const first = createImageStore().addProduced(produced);
  const second = await createImageStore().add(Buffer.from(produced.data, 'base64'));
  expect(second).toBe(first);
  expect(first).toMatchObject({ width: 33, height: 21, mediaType: 'image/png' });
  expect(createHash('sha256').update(first.bytes).digest('hex')).toBe(produced.digest);
});

test('the bytes of an image of the sandbox are used again once it is stored', () => {
  const content = randomBytes(100_000);
  const bytes = takeBytes(content.length);
  content.copy(bytes);
  const digest = createHash('sha256').update(content).digest('hex');
  const produced = { digest, mediaType: 'image/png' as const, width: 9, height: 9, data: '', bytes };
  const store = createImageStore();
  const stored = store.addProduced(produced);
  expect(takeBytes(content.length).buffer).toBe(bytes.buffer);
  bytes.fill(0);
  expect(stored.base64.text()).toBe(content.toString('base64'));
  // One that is there already is not read.
  const again = takeBytes(content.length);
  expect(store.addProduced({ ...produced, bytes: again })).toBe(stored);
  expect(takeBytes(content.length).buffer).toBe(again.buffer);
  store.release();
});

test('long histories of few episodes stay in memory, those of many do not', async () => {
  const addAll = () => {
    const store = createImageStore();
    const images = Array.from({ length: 12 }, () => {
      const bytes = randomBytes(3_000_000);
      const digest = createHash('sha256').update(bytes).digest('hex');
      return store.addProduced({ digest, mediaType: 'image/png', width: 9, height: 9, data: '', bytes });
    });
    return { store, inMemory: () => images.filter(({ base64 }) => base64.bytesInMemory).length };
  };
  // What earlier tests left to the collector counts too, and is less than 4 MB.
  const endFew = expectEpisodes(16);
  const few = addAll();
  await few.store.room();
  await delay(200);
  expect(few.inMemory()).toBe(12);
  few.store.release();
  const endMany = expectEpisodes(500);
  const many = addAll();
  await expect.poll(many.inMemory).toBeLessThanOrEqual(8);
  many.store.release();
  endMany();
  endFew();
});

test('above the budget an image moves to the disk and stays readable', async () => {
  const memory = createImageMemory<{ digest: string; base64: Base64Text }>(() => 10_000);
  const text = (letter: string): string => letter.repeat(8_000);
  const images = ['a', 'b', 'c'].map((letter) => memory.keep({ digest: letter, base64: new Base64Text(text(letter)) }));
  await expect.poll(() => images.map(({ base64 }) => base64.bytesInMemory !== undefined)).toEqual([true, false, false]);
  expect(memory.bytes()).toBe(8_000);
  for (const { digest, base64 } of images) {
    const chunks: Buffer[] = [];
    for await (const chunk of base64.chunks()) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe(text(digest));
    expect(base64.text()).toBe(text(digest));
    expect(base64.length).toBe(8_000);
  }
  expect(memory.keep({ digest: 'b', base64: new Base64Text('other') })).toBe(images[1]);
});

const noise = sharp({
  create: { width: 64, height: 48, channels: 3, noise: { type: 'gaussian', mean: 120, sigma: 40 }, background: 'red' },
});

const photo = await noise
  .clone()
  .jpeg()
  .withExif({ IFD0: { Software: 'x'.repeat(3000) } })
  .toBuffer();

test.each([
  ['png', await noise.clone().png({ palette: true }).toBuffer()],
  ['jpeg', photo],
  ['jpeg', await noise.clone().jpeg({ progressive: true }).toBuffer()],
  ['jpeg', Buffer.concat([photo.subarray(0, 2), Buffer.from('junk'), Buffer.alloc(5, 0xff), photo.subarray(2)])],
  ['webp', await noise.clone().webp().toBuffer()],
  ['webp', await noise.clone().webp({ lossless: true }).toBuffer()],
  ['webp', await noise.clone().ensureAlpha(0.5).webp().toBuffer()],
  ['gif', await noise.clone().gif().toBuffer()],
] as const)('the head of a %s has its size', async (format, bytes) => {
  expect(await readImageHeader(bytes)).toEqual({ format, width: 64, height: 48 });
});

test('other bytes have no head of an image, and none stops the reader', async () => {
  const heads = ['', '\x89PNG\r\n\x1a\n', '\xff\xd8\xff', 'RIFF....WEBPVP8 ', 'GIF89a'];
  const bytes = fc.tuple(fc.constantFrom(...heads), fc.uint8Array({ maxLength: 80 }));
  await fc.assert(
    fc.asyncProperty(bytes, async ([head, rest]) => {
      const header = await readImageHeader(Buffer.concat([Buffer.from(head, 'latin1'), rest]));
      expect(header === undefined || (header.width > 0 && header.height > 0)).toBe(true);
      if (head === '' && rest.length < 30) expect(header).toBeUndefined();
    }),
  );
});

test.each([
  ['png', await noise.clone().png().toBuffer()],
  ['jpeg', await noise.clone().jpeg({ progressive: true }).toBuffer()],
  ['webp', await noise.clone().webp().toBuffer()],
  ['gif', await noise.clone().gif().toBuffer()],
] as const)('a %s is whole, and cut off it is not', (format, bytes) => {
  expect(isWholeImage(format, bytes)).toBe(true);
  for (const share of [0.2, 0.5, 0.9])
    expect(isWholeImage(format, bytes.subarray(0, bytes.length * share))).toBe(false);
});

test('a PNG with a wrong byte is not whole', async () => {
  const bytes = await noise.clone().png().toBuffer();
  bytes.writeUInt8(bytes.readUInt8(200) ^ 1, 200);
  expect(isWholeImage('png', bytes)).toBe(false);
});
