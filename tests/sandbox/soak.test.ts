import { expect, test } from 'vitest';
import type { CallOutcome } from '../../domain/sandbox.ts';
import type { Sandbox } from '../../sandbox/open-sandbox.ts';
import { ownSandbox } from './own-sandbox.ts';

const executions = Number(process.env.LENSMITH_SOAK_EXECUTIONS ?? 400);
const callsPerSession = 20;
const sideBySide = 4;

/** What calls do, each with the outcome that it has to have. */
const work: readonly (readonly [code: string, outcome: CallOutcome, seconds?: number])[] = [
  ['print(1)', 'ok'],
  ['x = 1', 'no_output'],
  ['1 / 0', 'exception'],
  ['open("note.txt", "w").write("x" * 10000)\nprint(1)', 'ok'],
  ['open("lost.txt", "w").write("x")\nraise KeyError', 'exception'],
  ['Image.new("RGB", (40, 40))', 'ok'],
  ['import os\nif os.fork() == 0:\n    os.setsid()\n    import time\n    time.sleep(100)\nprint(1)', 'ok'],
  ['import threading, time\nthreading.Thread(target=time.sleep, args=(100,)).start()\nprint(1)', 'ok'],
  ['import os\nheld = [os.dup(0) for _ in range(50)]\nprint(len(held))', 'ok'],
  ['import os\nos._exit(1)', 'exception'],
  ['import os\nos.kill(os.getpid(), 9)', 'memory'],
  ['while True:\n    pass', 'timeout', 0.05],
];

const soak = async (sandbox: Sandbox, offset: number): Promise<void> => {
  for (let done = 0; done < executions / sideBySide; done += callsPerSession) {
    const session = await sandbox.createSession({});
    for (let call = 0; call < callsPerSession; call += 1) {
      const [code, outcome, seconds] = work[(offset + done + call * 5) % work.length] ?? ['', 'no_output'];
      const result = await session.execute(seconds === undefined ? { code } : { code, seconds });
      expect([code, result.outcome], JSON.stringify(result.error)).toEqual([code, outcome]);
    }
    await session.close();
  }
};

test(`${executions} executions leave no process, no file and no descriptor`, {
  timeout: 60_000 + executions * 200,
}, async () => {
  const { sandbox, heldAtRest } = await ownSandbox();
  // The first sessions open what stays open.
  await Promise.all(Array.from({ length: sideBySide }, async () => (await sandbox.createSession({})).close()));
  const before = await heldAtRest();
  await Promise.all(Array.from({ length: sideBySide }, (_, index) => soak(sandbox, index)));
  const after = await heldAtRest();
  expect(after).toEqual({ ...before, descriptors: expect.toSatisfy((count: number) => count <= before.descriptors) });
});
