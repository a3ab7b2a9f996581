import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openDraw } from '../../datasets/mnist/draw.ts';
import { waitFor } from '../processes/wait-for.ts';
import type { HostProcess } from './escapes/host-state.ts';
import { emptyReport, runLoad } from './fault-load.ts';
import { ownSandbox } from './own-sandbox.ts';

const sessions = Number(process.env.LENSMITH_FAULT_SESSIONS ?? 16);
const seconds = Number(process.env.LENSMITH_FAULT_SECONDS ?? 6);
// A look at all processes of a busy host takes long.
const killsPerLook = 10;
const seed = Number(process.env.LENSMITH_FAULT_SEED ?? 1);

const kill = (pid: number): boolean => {
  try {
    return process.kill(pid, 'SIGKILL');
  } catch {
    return false;
  }
};

const tell = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const firstOf = (all: readonly HostProcess[]): number =>
  all.toSorted((one, other) => one.started - other.started || one.pid - other.pid)[0]?.pid ?? 0;

/** The processes that all sessions need: each fork server, with the one that imported the libraries for it. */
const serversOf = (all: readonly HostProcess[]): number[][] =>
  all
    .filter(({ parent }) => parent === process.pid)
    .toSorted((one, other) => one.started - other.started)
    .map(({ pid }) => [pid, firstOf(all.filter(({ parent }) => parent === pid))]);

test(`guests of ${sessions} sessions killed at random: no call without an outcome, no wrong result`, {
  timeout: 120_000 + seconds * 1000,
}, async () => {
  const { sandbox, processes, heldAtRest } = await ownSandbox({ maxSessions: sessions + 8 });
  const draw = openDraw(seed, 'faults');
  const before = await heldAtRest();
  const until = performance.now() + seconds * 1000;
  const load = runLoad(sandbox, sessions, () => performance.now() > until);
  let killed = 0;
  while (performance.now() < until) {
    const all = await processes();
    const servers = new Set(serversOf(all).flat());
    const guests = draw.shuffle(all.filter(({ pid }) => !servers.has(pid)));
    for (const { pid } of guests.slice(0, killsPerLook)) {
      if (kill(pid)) killed += 1;
      await delay(10 + draw.below(50));
    }
  }
  const report = await load;
  tell(
    `killed ${killed}, refused ${JSON.stringify([...report.refused])}, outcomes ${JSON.stringify([...report.outcomes])}`,
  );
  expect(report.wrong).toEqual([]);
  expect(killed).toBeGreaterThan(0);
  expect(report.outcomes.get('ok') ?? 0).toBeGreaterThan(sessions);
  // Killed or not, every session and what it held is gone.
  expect((await heldAtRest()).files).toBe(before.files);
  expect(sandbox.sessions()).toBe(0);
});

test(`the fork server killed under ${sessions} sessions: service is back, and nobody hangs`, {
  timeout: 300_000,
}, async () => {
  const { sandbox, processes } = await ownSandbox({ maxSessions: sessions + 8, spare: true });
  let over = false;
  const report = emptyReport();
  const load = runLoad(sandbox, sessions, () => over, report);
  const away: string[] = [];
  // First the server itself, then the process that holds its libraries.
  for (const member of [0, 1]) {
    const servers = await waitFor(
      'a spare server',
      async () => {
        const found = serversOf(await processes());
        return found.length > 1 ? found : undefined;
      },
      60_000,
    );
    await delay(3000);
    // The one with the sessions was started first.
    const [working] = servers;
    kill(working?.[member] ?? 0);
    const killedAt = performance.now();
    // What was under way when it died says `infrastructure`, and may be tried again at once.
    await waitFor(
      'a session that works',
      async () => {
        const session = await sandbox.createSession({}).catch(() => undefined);
        const result = await session?.execute({ code: 'print("back")' });
        await session?.close();
        return result?.stdout === 'back\n' ? result : undefined;
      },
      60_000,
    );
    const newcomer = performance.now() - killedAt;
    const begun = await waitFor(
      'every session to be open again',
      async () => {
        const since = report.begun.filter((at) => at > killedAt);
        return since.length >= sessions ? since : undefined;
      },
      60_000,
    );
    const [first = 0, last = 0] = [begun[0], begun[sessions - 1]].map((at = 0) => at - killedAt);
    away.push(
      `a session begins after ${first.toFixed(0)} ms, one more client waits ${newcomer.toFixed(0)} ms, ` +
        `all ${sessions} are open again after ${last.toFixed(0)} ms`,
    );
  }
  over = true;
  await load;
  tell(`service back: ${away.join('; ')}`);
  expect(report.wrong).toEqual([]);
  expect(report.outcomes.get('infrastructure') ?? 0).toBeGreaterThan(0);
});
