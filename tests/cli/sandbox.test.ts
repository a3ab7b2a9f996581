import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { freePort } from '../../processes/free-port.ts';
import { readProcess } from '../../processes/proc-stat.ts';
import { waitFor } from '../processes/wait-for.ts';

const main = join(import.meta.dirname, '../../cli/main.ts');
const lensmith = (...args: string[]) =>
  execa(process.execPath, [main, 'sandbox', ...args], { reject: false, timeout: 60_000 });

const folderOfTest = async (): Promise<string> => {
  const folder = await mkdtemp(join(tmpdir(), 'lensmith-cli-sandbox-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
};

test('exec runs a file on an image, prints its text and writes its images', async () => {
  const folder = await folderOfTest();
  const file = join(folder, 'code.py');
  await writeFile(file, 'print("hello")\nImage.new("RGB", (4, 2))');
  const { stdout, stderr, exitCode } = await lensmith('exec', file, '--output', folder);
  expect({ stdout, exitCode }).toEqual({ stdout: 'hello', exitCode: 0 });
  expect(stderr).toContain('image-1.png (4 x 2)');
  expect((await readFile(join(folder, 'image-1.png'))).subarray(1, 4).toString()).toBe('PNG');
});

test('exec of code that fails ends with 1 and names the line', async () => {
  const file = join(await folderOfTest(), 'code.py');
  await writeFile(file, 'x = 1\nx / 0');
  const { stderr, exitCode } = await lensmith('exec', file);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('line 2');
  expect(stderr).toContain('ZeroDivisionError');
});

test('exec of a file that is missing says so', async () => {
  const { stderr, exitCode } = await lensmith('exec', '/nonexistent/code.py');
  expect(exitCode).toBe(1);
  expect(stderr).toContain('/nonexistent/code.py');
});

test('exec takes a file that begins with the mark of its encoding', async () => {
  const file = join(await folderOfTest(), 'code.py');
  await writeFile(file, '\uFEFFprint("read")');
  expect(await lensmith('exec', file)).toMatchObject({ stdout: 'read', exitCode: 0 });
});

test('exec says where images cannot be written', async () => {
  const file = join(await folderOfTest(), 'code.py');
  await writeFile(file, 'Image.new("RGB", (4, 2))');
  const { stderr, exitCode } = await lensmith('exec', file, '--output', file);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^lensmith: infrastructure: .*code\.py cannot be written: .*EEXIST.*$/);
});

test.each([
  { signal: 'SIGINT', code: 130 },
  { signal: 'SIGTERM', code: 143 },
] as const)('exec that is ended by $signal leaves nothing', async ({ signal, code }) => {
  const folder = await folderOfTest();
  const file = join(folder, 'code.py');
  await writeFile(file, 'import time\ntime.sleep(60)');
  const temporary = join(folder, 'temporary');
  await mkdir(temporary);
  const running = execa(process.execPath, [main, 'sandbox', 'exec', file, '--seconds', '60'], {
    reject: false,
    timeout: 60_000,
    env: { TMPDIR: temporary },
  });
  const left = async () => (await readdir(temporary)).filter((name) => name.startsWith('lensmith-sandbox-'));
  await waitFor('its fork server to start', async () => ((await left()).length > 0 ? true : undefined));
  running.kill(signal);
  expect((await running).exitCode).toBe(code);
  expect(await left()).toEqual([]);
});

test('exec without isolation that is ended takes what it runs with it', async () => {
  const folder = await folderOfTest();
  const [file, told] = [join(folder, 'code.py'), join(folder, 'pid')];
  await writeFile(
    file,
    `import os, time\nprint(os.getpid(), file=open(${JSON.stringify(told)}, "w"), flush=True)\ntime.sleep(40)`,
  );
  const running = lensmith('exec', file, '--isolation', 'none', '--seconds', '60');
  const pid = await waitFor(
    'the code to run',
    async () => Number(await readFile(told, 'utf8').catch(() => '')) || undefined,
  );
  running.kill('SIGINT');
  expect((await running).exitCode).toBe(130);
  await waitFor('the code to be gone', () => (readProcess(pid) ? undefined : true));
});

test.each([
  ['--port', '65536'],
  ['--max-sessions', '1e300'],
])('serve refuses %s %s before it starts anything', async (option, value) => {
  const { stderr, exitCode } = await lensmith('serve', '--port', '8090', option, value);
  expect(exitCode).toBe(2);
  expect(stderr).toContain(`'${value}' is invalid. expected a whole number from 1`);
});

test('doctor tries each wall and none fails here', async () => {
  const { stdout, exitCode } = await lensmith('doctor', '--json');
  const findings: { name: string; state: string }[] = JSON.parse(stdout);
  expect(findings.filter(({ state }) => state === 'fail')).toEqual([]);
  expect(findings.length).toBeGreaterThan(10);
  expect(exitCode).toBe(0);
});

test('doctor without isolation finds the walls missing', async () => {
  const { stdout, exitCode } = await lensmith('doctor', '--isolation', 'none', '--json');
  const failed: { name: string; state: string }[] = JSON.parse(stdout);
  expect(failed.find(({ name }) => name.includes("host's files"))?.state).toBe('fail');
  expect(exitCode).toBe(1);
});

const line = async (stream: ChildProcess['stdout'], wanted: string): Promise<string> => {
  let text = '';
  const limit = AbortSignal.timeout(60_000);
  while (!text.includes(wanted))
    text += String((await once(stream as NonNullable<typeof stream>, 'data', { signal: limit }))[0]);
  return text;
};

test('serve goes on by its standby where a supervisor is killed, and leaves nothing', async () => {
  const port = await freePort();
  const child = spawn(process.execPath, [main, 'sandbox', 'serve', '--port', String(port), '--prepared', '1'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const started = await line(child.stdout, 'pid ');
  const ask = () =>
    fetch(`http://127.0.0.1:${port}/healthz`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  expect((await ask())?.status).toBe(200);
  const taken = line(child.stderr, 'takes over');
  process.kill(Number(/pid (\d+)/.exec(started)?.[1]), 'SIGKILL');
  await taken;
  const deadline = Date.now() + 60_000;
  while ((await ask())?.status !== 200) expect(Date.now()).toBeLessThan(deadline);
  child.kill('SIGTERM');
  const [code] = await once(child, 'exit', { signal: AbortSignal.timeout(60_000) });
  expect(code).toBe(0);
  expect(await ask()).toBeUndefined();
});
