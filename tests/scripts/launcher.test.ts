import { copyFile, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../processes/temporary-folder.ts';

const checkout = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** A checkout with the launcher and nothing else, and a link to the launcher from elsewhere. */
const bareCheckout = async (): Promise<{ dir: string; link: string }> => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'cli'));
  await mkdir(join(dir, 'bin'));
  await copyFile(join(checkout, 'cli', 'lensmith'), join(dir, 'cli', 'lensmith'));
  await symlink(join(dir, 'cli', 'lensmith'), join(dir, 'bin', 'lensmith'));
  return { dir, link: join(dir, 'bin', 'lensmith') };
};

test('without node_modules the launcher names what to run', async () => {
  const { dir, link } = await bareCheckout();
  const { exitCode, stderr } = await execa(link, ['status'], { reject: false });
  expect(exitCode).toBe(1);
  expect(stderr).toContain(join(dir, 'scripts', 'bootstrap'));
});

test('through a link the launcher runs the command line of its own checkout with all arguments', async () => {
  const { dir, link } = await bareCheckout();
  await mkdir(join(dir, 'node_modules', '.bin'), { recursive: true });
  await symlink(process.execPath, join(dir, 'node_modules', '.bin', 'node'));
  await writeFile(join(dir, 'cli', 'main.ts'), 'console.log(JSON.stringify(process.argv.slice(2)));\n');
  const { stdout } = await execa(link, ['train', 'a b.yaml', '--follow'], { cwd: '/' });
  expect(JSON.parse(stdout)).toEqual(['train', 'a b.yaml', '--follow']);
});

test('bootstrap names everything that is missing and how to get it, and changes nothing', async () => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'scripts'));
  await copyFile(join(checkout, 'scripts', 'bootstrap'), join(dir, 'scripts', 'bootstrap'));
  const tools = join(dir, 'tools');
  await mkdir(tools);
  for (const tool of ['dirname', 'readlink', 'date', 'sha256sum', 'cut', 'cat'])
    await symlink((await execa('/bin/sh', ['-c', `command -v ${tool}`])).stdout, join(tools, tool));
  const bootstrap = join(dir, 'scripts', 'bootstrap');
  const options = { env: { PATH: tools }, extendEnv: false, reject: false } as const;
  const { exitCode, stderr } = await execa('/bin/sh', [bootstrap], options);
  expect(exitCode).toBe(1);
  for (const missing of ['Python 3.11 or newer', 'the venv and pip', 'Node 20 or newer', 'npm'])
    expect(stderr).toMatch(new RegExp(`missing: ${missing}.*apt-get install -y`));
  expect(stderr).not.toContain('sha256sum');
});
