import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { readProcess } from '../../processes/proc-stat.ts';

const module = fileURLToPath(new URL('../../processes/proc-stat.ts', import.meta.url));

/** Uses up its handles, and then looks for itself. */
const lookWithoutHandles = `
import { openSync } from 'node:fs';
import { readProcess } from ${JSON.stringify(module)};
const found = readProcess(process.pid)?.pid === process.pid;
try { for (;;) openSync('/dev/null'); } catch {}
let answer;
try { answer = String(readProcess(process.pid)?.pid); } catch (error) { answer = error.code; }
console.log(JSON.stringify({ found, answer }));
`;

it('knows itself, and nobody under a number that no process has', () => {
  expect(readProcess(process.pid)?.pid).toBe(process.pid);
  expect(readProcess(2 ** 22 + 1)).toBeUndefined();
});

it('says that it cannot tell where no handle is left, instead of taking who lives for dead', async () => {
  const limited = ['-c', 'ulimit -n 60 && exec "$0" "$@"', process.execPath];
  const { stdout } = await promisify(execFile)(
    'sh',
    [...limited, '--input-type=module', '--eval', lookWithoutHandles],
    { timeout: 60_000 },
  );
  expect(JSON.parse(stdout)).toEqual({ found: true, answer: 'EMFILE' });
});
