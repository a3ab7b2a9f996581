import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { loadProtocol } from '../../episodes/load-protocol.ts';

const shipped = join(import.meta.dirname, '../../episodes/protocols');
const folders: string[] = [];
afterEach(async () => {
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

const changed = async (name: string, from: string, to: string): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'lensmith-protocol-'));
  folders.push(folder);
  const text = await readFile(join(shipped, `${name}.yaml`), 'utf8');
  expect(text).toContain(from);
  const file = join(folder, `${name}.yaml`);
  await writeFile(file, text.replace(from, to));
  return file;
};

test('the protocols that are shipped load under their names', async () => {
  const names = (await readdir(shipped)).map((file) => file.replace('.yaml', ''));
  expect(names).toEqual(expect.arrayContaining(['codedance', 'codevision', 'miniature']));
  for (const name of names) expect((await loadProtocol(name)).protocol.name).toBe(name);
});

test('a changed word is another protocol', async () => {
  const file = await changed('codedance', 'Think step by step.', 'Think.');
  expect((await loadProtocol(file)).ref.digest).not.toBe((await loadProtocol('codedance')).ref.digest);
});

test.each([
  ['codevision', 'parser: tool-call', 'parser: code-fence', 'imageCall'],
  ['codevision', 'state: stateless', 'state: stateful', 'imageCall'],
  ['codedance', 'parser: code-or-fence', 'parser: tool-call', 'imageCall'],
  ['codevision', '  tool: code_image_tool\n', '', 'tool'],
  ['codedance', '{stdout}{images}', '{images}{stdout}{images}', 'at most once'],
])('%s with "%s" made "%s" is refused', async (name, from, to, place) => {
  const file = await changed(name, from, to);
  await expect(loadProtocol(file)).rejects.toMatchObject({ type: 'config', message: expect.stringContaining(place) });
});
