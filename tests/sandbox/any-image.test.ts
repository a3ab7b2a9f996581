import fc from 'fast-check';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { LensmithError } from '../../domain/errors.ts';
import { type CallOutcome, callOutcomes, type ExecutionResult } from '../../domain/sandbox.ts';
import { imageCorpus } from './image-corpus.ts';
import { sharedSandbox } from './shared-sandbox.ts';

const sandbox = sharedSandbox();
const corpus = await imageCorpus();
const limits = { callSeconds: 10, memoryMib: 1024, maximumSide: 512 };
const typed: readonly CallOutcome[] = callOutcomes.filter((outcome) => outcome !== 'infrastructure');

const expectSound = async (result: ExecutionResult): Promise<void> => {
  expect(typed, JSON.stringify(result.error)).toContain(result.outcome);
  for (const { data, width, height } of result.images) {
    expect(await sharp(Buffer.from(data, 'base64')).metadata()).toMatchObject({ format: 'png', width, height });
    expect(Math.max(width, height)).toBeLessThanOrEqual(limits.maximumSide);
  }
};

/** Opens a session with an image and shows it; undefined where the image was refused. */
const shown = async (content: Buffer): Promise<ExecutionResult | undefined> => {
  try {
    return await sandbox.withSession({ images: [{ data: content.toString('base64') }], limits }, async (session) => {
      const result = await session.execute({ code: 'print(input_image.size)\ninput_image' });
      expect(await session.execute({ code: 'print(np.asarray(input_image).ndim > 1)' })).toMatchObject({
        outcome: 'ok',
      });
      return result;
    });
  } catch (error) {
    if (!(error instanceof LensmithError)) throw error;
    expect(error, error.message).toMatchObject({ type: 'data' });
    return undefined;
  }
};

test.each(corpus)('$name as the input of a session', async ({ content, opens }) => {
  const result = await shown(content);
  if (opens !== undefined) expect(result !== undefined).toBe(opens);
  if (!result) return;
  await expectSound(result);
  expect(result.images.length === 1 || result.outcome === 'exception').toBe(true);
});

test.each(corpus)('$name opened by code', async ({ content }) => {
  const code = `import base64, io\nImage.open(io.BytesIO(base64.b64decode("${content.toString('base64')}")))`;
  const [result, next] = await sandbox.run({ limits }, code, 'print("here")');
  if (!result) throw new Error('expected a result');
  await expectSound(result);
  expect(next).toMatchObject({ outcome: 'ok', stdout: 'here\n' });
});

const small = corpus.filter(({ content, name }) => content.length < 20_000 && name !== 'large.png');
const damaged = fc
  .record({
    image: fc.constantFrom(...small),
    flips: fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 })), { maxLength: 6 }),
    kept: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.boolean(),
    tail: fc.uint8Array({ maxLength: 40 }),
  })
  .map(({ image, flips, kept, cut, tail }) => {
    const head = Buffer.from(image.content.subarray(0, cut ? Math.floor(image.content.length * kept) : undefined));
    for (const [place, value] of flips) if (head.length > 0) head[place % head.length] = value;
    return Buffer.concat([head, tail]);
  });

test('a damaged image is refused as data or gives a typed outcome', { timeout: 240_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(damaged, async (content) => {
      const result = await shown(content);
      if (result) await expectSound(result);
    }),
    { numRuns: 80 },
  );
  const [after] = await sandbox.run({}, 'print("here")');
  expect(after).toMatchObject({ outcome: 'ok', stdout: 'here\n' });
});
