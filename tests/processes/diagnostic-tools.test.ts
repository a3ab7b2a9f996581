import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { gpuProcessIds } from '../../processes/gpu-processes.ts';
import { countMemoryKills } from '../../processes/memory-kills.ts';
import { readProcess } from '../../processes/proc-stat.ts';
import { processTable } from '../../processes/process-table.ts';
import { runTool } from '../../processes/run-tool.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { waitFor } from './wait-for.ts';

/** Puts a program first on the path of this test. */
const install = async (name: string, script: string): Promise<void> => {
  const dir = await temporaryFolder();
  await writeFile(join(dir, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(dir, name), 0o755);
  vi.stubEnv('PATH', `${dir}:${process.env.PATH}`);
  onTestFinished(() => {
    vi.unstubAllEnvs();
  });
};

test('a tool gives both of its streams, and its exit code where that is not 0', async () => {
  expect(await runTool('/bin/sh', ['-c', 'echo out; echo problem >&2'])).toBe('out\nproblem');
  expect(await runTool('/bin/sh', ['-c', 'echo out; exit 3'])).toBe('out\n/bin/sh ended with 3');
});

test('a tool that is not installed is an error that names it', async () => {
  await expect(runTool('no-such-tool', [])).rejects.toThrow(/no-such-tool did not run/);
});

test('the table says of a process what it is doing', async () => {
  const child = spawn('sleep', ['60']);
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  await once(child, 'spawn');
  const info = await waitFor('the process', () => {
    const seen = readProcess(child.pid ?? 0);
    return seen?.command === 'sleep 60' ? seen : undefined;
  });
  const [header, row] = processTable([info]).split('\n');
  expect(header?.split('\t')).toHaveLength(8);
  expect(row?.split('\t')).toHaveLength(8);
  expect(row).toMatch(new RegExp(`^${child.pid}\t${process.pid}\t[SDR] \\(.*\tsleep 60$`));
});

test('a process that is gone leaves a row without figures', () => {
  const gone = { pid: 2 ** 22 + 1, parent: 1, session: 1, startTicks: 1, command: 'gone' };
  expect(processTable([gone])).toMatch(/\t\? s\t\?\t\? threads\t-\tgone$/);
});

test('the kernel says how many processes it has killed for memory', () => {
  expect(countMemoryKills()).toBeGreaterThanOrEqual(0);
});

test('the holders of GPU memory are those that the driver lists', async () => {
  await install('nvidia-smi', 'printf "1201\\n 1302\\n[N/A]\\n"');
  expect(await gpuProcessIds()).toEqual([1201, 1302]);
});

test('a driver without processes lists none, and a host without a driver says nothing', async () => {
  await install('nvidia-smi', 'exit 0');
  expect(await gpuProcessIds()).toEqual([]);
  vi.stubEnv('PATH', '/nowhere');
  expect(await gpuProcessIds()).toBeUndefined();
});
