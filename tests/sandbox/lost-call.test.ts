import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { waitFor } from '../processes/wait-for.ts';
import { ownSandbox } from './own-sandbox.ts';

test('a call whose interpreter was killed before it began is not run later', async () => {
  const { sandbox, processes } = await ownSandbox({ prepared: 0 });
  const session = await sandbox.createSession({});
  await session.execute({ code: 'count = 0' });
  // The snapshot is a child of the interpreter, and the last process that was started.
  const live = await waitFor('the snapshot', async () => {
    const all = await processes();
    const below = (pid: number) => all.filter(({ parent }) => parent === pid);
    const [server] = below(process.pid);
    const interpreters = below(server?.pid ?? 0).flatMap(({ pid }) => below(pid));
    return interpreters.find(({ pid }) => below(pid).length === 1);
  });
  process.kill(live.pid, 'SIGSTOP');
  const running = session.execute({ code: 'count += 1\nprint(count)' });
  await delay(300);
  process.kill(live.pid, 'SIGKILL');
  const lost = await running;
  expect(lost).toMatchObject({ outcome: 'memory', stdout: '' });
  expect(await session.execute({ code: 'print(count)' })).toMatchObject({ outcome: 'ok', stdout: '0\n' });
  expect(await session.execute({ code: 'print(count)' })).toMatchObject({ outcome: 'ok', stdout: '0\n' });
});
