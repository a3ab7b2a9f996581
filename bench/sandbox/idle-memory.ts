import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import type { Subject } from './subject.ts';

const restMs = 1500;

const descendants = async (root: number): Promise<number[]> => {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const pairs = await Promise.all(
    pids.map(async (pid) => {
      const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
      return [Number(pid), Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[1])] as const;
    }),
  );
  const found = new Set([root]);
  for (let before = 0; before !== found.size; ) {
    before = found.size;
    for (const [pid, parent] of pairs) if (found.has(parent)) found.add(pid);
  }
  found.delete(root);
  return [...found];
};

/** Memory that all processes below one hold, bytes; what several share is counted once. */
const heldBelow = async (root: number): Promise<number> => {
  const texts = await Promise.all(
    (await descendants(root)).map((pid) => readFile(`/proc/${pid}/smaps_rollup`, 'utf8').catch(() => '')),
  );
  return texts.reduce((sum, text) => sum + Number(/^Pss:\s+(\d+)/m.exec(text)?.[1] ?? 0) * 1024, 0);
};

/** MiB that an idle session adds, after its first result; the mean over `count` of them. */
export const measureIdleMemory = async (subject: Subject, root: number, count: number): Promise<number> => {
  await (await subject.open()).close();
  await delay(restMs);
  const before = await heldBelow(root);
  const sessions = [];
  for (let index = 0; index < count; index += 1) sessions.push(await subject.open());
  await delay(restMs);
  const added = (await heldBelow(root)) - before;
  await Promise.all(sessions.map((session) => session.close()));
  return added / count / 2 ** 20;
};
