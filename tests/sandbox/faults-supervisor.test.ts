import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { waitFor } from '../processes/wait-for.ts';
import { descendantsOf, hostProcesses } from './escapes/host-state.ts';

const program = join(import.meta.dirname, 'supervisor-program.ts');

/** A supervisor in a process of its own, with what a client needs of it. */
const startSupervisor = async () => {
  const folder = await temporaryFolder();
  const child = spawn(process.execPath, [program], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, TMPDIR: folder },
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: child.stdout }), 'line', {
    signal: AbortSignal.timeout(60_000),
  })) as [string];
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`http://127.0.0.1:${line}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    });
    return answer.json();
  };
  return { folder, pid: child.pid ?? 0, post };
};

test('a killed supervisor takes every session with it, and another one is not touched', async () => {
  const [doomed, other] = await Promise.all([startSupervisor(), startSupervisor()]);
  const names = ['a', 'b', 'c', 'd'];
  for (const { post } of [doomed, other]) {
    for (const sessionId of names) {
      await post('/v1/sessions', { sessionId });
      await post(`/v1/sessions/${sessionId}/executions`, { code: `x = "${sessionId}"` });
    }
  }
  const daemon = 'import os, time\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(60)\ntime.sleep(60)';
  const running = names.map((name) =>
    doomed.post(`/v1/sessions/${name}/executions`, { code: daemon }).then(
      () => 'answered',
      () => 'refused',
    ),
  );
  await waitFor('the calls to run', async () => ((await descendantsOf(doomed.pid)).length > 12 ? true : undefined));
  const below = (await descendantsOf(doomed.pid)).map(({ pid }) => pid);
  process.kill(doomed.pid, 'SIGKILL');
  expect(await Promise.all(running)).toEqual(names.map(() => 'refused'));
  await waitFor('every process below it to be gone', async () => {
    const alive = new Set((await hostProcesses()).map(({ pid }) => pid));
    return below.some((pid) => alive.has(pid)) ? undefined : true;
  });
  for (const name of names) {
    const result = await other.post(`/v1/sessions/${name}/executions`, { code: 'print(x)' });
    expect(result).toMatchObject({ outcome: 'ok', stdout: `${name}\n` });
  }
});
