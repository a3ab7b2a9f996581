import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { checkDataset } from '../../../datasets/check-dataset.ts';
import { buildMnistDatasets, type MnistBuild } from '../../../datasets/mnist/build-mnist-datasets.ts';
import { mnistDirectory } from '../../../datasets/mnist/mnist-files.ts';
import { readRlRows, readSftRows } from '../../../datasets/read-rows.ts';
import { artifactManifestSchema } from '../../../domain/artifact.ts';
import { datasetDetailsSchema, type SftRow } from '../../../domain/dataset.ts';
import { loadProtocol } from '../../../episodes/load-protocol.ts';
import { countBy } from '../../../evaluation/sample-outcome.ts';
import { openSandbox, type Sandbox } from '../../../sandbox/open-sandbox.ts';
import { numberRule } from '../../../scoring/rules/number-rule.ts';
import { temporaryFolder } from '../../processes/temporary-folder.ts';
import { all, thrown } from '../thrown.ts';

const spec: MnistBuild['spec'] = {
  kind: 'mnist',
  directory: null,
  captions: 304,
  trajectories: 24,
  recoveryShare: 0.5,
  checkShare: 0.5,
  rlPrompts: 40,
  validationSamples: 24,
  testSamples: 36,
};

let sandbox: Sandbox;
let protocol: MnistBuild['protocol'];
beforeAll(async () => {
  sandbox = await openSandbox({ python: join(import.meta.dirname, '../../../.venv/bin/python') });
  protocol = (await loadProtocol('miniature')).protocol;
});
afterAll(() => sandbox?.close());

const build = async (given: Partial<MnistBuild> = {}) =>
  buildMnistDatasets({
    spec,
    seed: 7,
    directory: mnistDirectory(),
    outputDir: join(await temporaryFolder(), 'data'),
    sandbox,
    protocol,
    ...given,
  });

/** Digests of the single digits of a picture, each turned to the first of its four positions. */
const digitsOf = async (png: Uint8Array): Promise<string[]> => {
  const { width = 0 } = await sharp(png).metadata();
  return Promise.all(
    Array.from({ length: width / 28 }, async (_, index) => {
      const digit = await sharp(png)
        .extract({ left: 28 * index, top: 0, width: 28, height: 28 })
        .png()
        .toBuffer();
      const turned = await Promise.all(
        [0, 90, 180, 270].map(async (turn) => {
          const pixels = await sharp(digit).rotate(turn).toColourspace('b-w').raw().toBuffer();
          return createHash('sha256').update(pixels).digest('hex');
        }),
      );
      return turned.sort()[0] ?? '';
    }),
  );
};

test('a built data set is whole: a manifest, rows that decode, balanced splits without a digit in common', async () => {
  const progress: string[] = [];
  const artifact = await build({ onProgress: (done, total) => progress.push(`${done}/${total}`) });
  const files = ['captions', 'rl', 'sft', 'test', 'validation'];
  expect((await readdir(artifact.path)).sort()).toEqual(
    [...files.map((name) => `${name}.parquet`), 'manifest.json'].sort(),
  );
  expect(await readdir(join(artifact.path, '..'))).toEqual(['data']);
  expect(progress.at(-1)).toBe('5/5');

  const manifest = artifactManifestSchema.parse(
    JSON.parse(await readFile(join(artifact.path, 'manifest.json'), 'utf8')),
  );
  expect(manifest).toMatchObject({ kind: 'dataset', digest: artifact.digest });
  const details = datasetDetailsSchema.parse(manifest.details);
  expect(details.rows).toEqual({ captions: 304, sft: 24, rl: 40, validation: 24, test: 36 });
  for (const name of files)
    expect(await checkDataset(join(artifact.path, `${name}.parquet`), details.schema[name] ?? 'rl')).toEqual({
      rows: details.rows[name],
    });

  const asked = await Promise.all(
    ['rl', 'validation', 'test'].map((name) => all(readRlRows(join(artifact.path, `${name}.parquet`)))),
  );
  expect(asked.map((rows) => countBy(rows.map(({ extra_info }) => extra_info.family)))).toEqual([
    { orient: 20, sum: 10, count: 10 },
    { orient: 12, sum: 6, count: 6 },
    { orient: 24, sum: 6, count: 6 },
  ]);
  for (const row of asked.flat())
    expect(numberRule(row.reward_model.ground_truth, row.extra_info.answer)).toMatchObject({ correct: true });

  const taught = await Promise.all(
    ['captions', 'sft'].map((name) => all(readSftRows(join(artifact.path, `${name}.parquet`)))),
  );
  // The first image of a conversation is the question's; the others came out of code.
  const pictures = [
    ...taught.map((rows) => rows.flatMap(({ images }) => images.slice(0, 1))),
    ...asked.map((rows) => rows.flatMap(({ images }) => images.flatMap(({ bytes }) => (bytes ? [bytes] : [])))),
  ];
  const splits = await Promise.all(
    pictures.map(async (split) => new Set((await Promise.all(split.map(digitsOf))).flat())),
  );
  for (const [index, split] of splits.entries()) {
    expect(split.size).toBeGreaterThan(20);
    for (const other of splits.slice(index + 1)) expect([...split].filter((digit) => other.has(digit))).toEqual([]);
  }
});

test('the same seed gives the same bytes, another seed other ones', async () => {
  const [one, same, other] = [await build(), await build(), await build({ seed: 8 })];
  expect(same.digest).toBe(one.digest);
  expect(other.digest).not.toBe(one.digest);
  const sizes = async (path: string) =>
    Promise.all(['sft', 'captions', 'rl', 'validation', 'test'].map((name) => readFile(join(path, `${name}.parquet`))));
  const [first, second] = [await sizes(one.path), await sizes(other.path)];
  for (const [index, bytes] of first.entries()) expect(bytes.equals(second[index] ?? bytes)).toBe(false);
});

/** The trajectories of a build in which half of those with code repair a first program. */
const trajectories = async (): Promise<SftRow[]> => {
  const { path } = await build();
  return all(readSftRows(join(path, 'sft.parquet')));
};

test('the teacher shows programs with the replies that the sandbox really gave', async () => {
  const rows = await trajectories();
  const session = await sandbox.createSession({ images: [], limits: { callSeconds: 5, memoryMib: 1024 } });
  onTestFinished(() => session.close());
  let replayed = 0;
  for (const { messages, images } of rows) {
    const [question, ...rest] = messages;
    expect(question).toMatchObject({ role: 'user' });
    expect(rest.at(-1)?.content).toMatch(/^<answer>\d+<\/answer>$/);
    expect(messages.map(({ content }) => content.split('<image>').length - 1).reduce((a, b) => a + b)).toBe(
      images.length,
    );
    for (const [index, { content, loss }] of rest.entries()) {
      const code = /```python\n(.*?)\n```/s.exec(content)?.[1];
      if (code === undefined || loss === false || code.includes('input_image')) continue;
      const { stdout } = await session.execute({ code });
      expect(rest[index + 1]?.content).toBe(`<tool_response>\n${stdout.trimEnd()}\n</tool_response>`);
      expect(rest.at(-1)?.content).toBe(`<answer>${stdout.trim()}</answer>`);
      replayed += 1;
    }
  }
  expect(replayed).toBe(12);
});

test('the image that comes back from code is the digit upright', async () => {
  const returned = (await trajectories()).filter(({ images }) => images.length === 2);
  expect(returned.length).toBeGreaterThanOrEqual(9);
  for (const { messages, images } of returned) {
    const turn = Number(/input_image\.rotate\((\d+)\)/.exec(messages.at(-3)?.content ?? '')?.[1] ?? 0);
    const [asked = new Uint8Array(), upright = new Uint8Array()] = images;
    // PIL turns counter-clockwise, sharp clockwise.
    const expected = await sharp(asked)
      .rotate(360 - turn)
      .toColourspace('b-w')
      .raw()
      .toBuffer();
    expect((await sharp(upright).toColourspace('b-w').raw().toBuffer()).equals(expected)).toBe(true);
  }
});

test('a program that fails on purpose is context: loss is false, the error is real, a working one follows', async () => {
  const rows = await trajectories();
  const failing = rows.filter(({ messages }) => messages.some(({ loss }) => loss === false));
  expect(failing.length).toBeGreaterThan(3);
  expect(failing.length).toBeLessThan(rows.length);
  for (const { messages } of failing) {
    const at = messages.findIndex(({ loss }) => loss === false);
    expect(messages.filter(({ loss }) => loss === false)).toHaveLength(1);
    expect(messages[at]).toMatchObject({ role: 'assistant' });
    expect(messages[at + 1]?.content).toMatch(
      /^<tool_response>\n(?:NameError|SyntaxError|AttributeError): .+\n<\/tool_response>$/s,
    );
    expect(messages[at + 2]?.content).toContain('<code>');
    expect(messages[at + 3]?.content).not.toMatch(/Error/);
  }
});

test('no program fails where no recovery is asked for, and no upright picture is checked', async () => {
  const { path } = await build({ spec: { ...spec, recoveryShare: 0, checkShare: 0 } });
  const rows = await all(readSftRows(join(path, 'sft.parquet')));
  expect(rows.flatMap(({ messages }) => messages).filter(({ loss }) => loss === false)).toEqual([]);
  const direct = rows.filter(({ messages }) => messages.length === 2);
  expect(direct).toHaveLength(3);
});

test('stopped or without MNIST it leaves nothing under the name of the data set', async () => {
  const outputDir = join(await temporaryFolder(), 'data');
  await expect(build({ outputDir, signal: AbortSignal.abort() })).rejects.toThrow();
  expect(await readdir(join(outputDir, '..'))).not.toContain('data');
  const directory = await temporaryFolder();
  const error = await thrown(build({ outputDir, directory }));
  expect(error).toMatchObject({ type: 'data', where: expect.stringContaining(directory) });
  expect(await readdir(join(outputDir, '..'))).not.toContain('data');
});

test('a program of the teacher that ends in another way than it should stops the build and is shown', async () => {
  // Without images the reply to a turned picture is `no_output`, which the teacher does not expect.
  const blind = { ...protocol, limits: { ...protocol.limits, imagesPerCall: 0 } };
  const error = await thrown(build({ protocol: blind, spec: { ...spec, recoveryShare: 0 } }));
  expect(error).toMatchObject({ type: 'data', where: 'a trajectory of the family orient' });
  expect(error.message).toMatch(/^expected the teacher's program to run, it ended as .+input_image/s);
});
