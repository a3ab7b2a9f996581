import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import {
  comparisonOf,
  type MathComparison,
  type MathWorker,
  type MathWorkerOptions,
  replySchema,
} from './math-comparison.ts';

interface Waiting {
  readonly id: number;
  readonly line: string;
  readonly settle: (comparison: MathComparison) => void;
  triesLeft: number;
}

const ignored = (): void => undefined;

/** Of the environment, only what starts Python: a formula sees no keys. */
const environment = (): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  LANG: 'C.UTF-8',
  PYTHONDONTWRITEBYTECODE: '1',
});

/**
 * A worker that compares formulas in a Python process of its own, one at a time. The process starts with the first
 * question, and again after its death: the question that it died of is asked once more, and then has failed; one that
 * took too long is not asked again.
 */
export const createMathWorker = (options: MathWorkerOptions): MathWorker => {
  const { compareMs = 5000, startMs = 60_000, idleMs = 60_000 } = options;
  const program = options.program ?? join(import.meta.dirname, 'math_worker.py');
  const queue: Waiting[] = [];
  let child: ChildProcess | undefined;
  let ready = false;
  let current: Waiting | undefined;
  let timer: NodeJS.Timeout | undefined;
  let next = 0;

  const limit = (ms: number, reason: string, again: boolean): void => {
    clearTimeout(timer);
    timer = setTimeout(() => drop(reason, again), ms);
    if (!current && queue.length === 0) timer.unref();
  };

  /**
   * Gives the process up. What it was busy with gets another try where its death may have been an accident; a process
   * that did not even start fails all that wait, for the next one would not start either.
   */
  const drop = (reason: string, again: boolean): void => {
    clearTimeout(timer);
    const [dead, asked, started] = [child, current, ready];
    child = undefined;
    current = undefined;
    ready = false;
    dead?.removeAllListeners();
    dead?.on('error', ignored);
    dead?.kill('SIGKILL');
    if (!started) {
      for (const { settle } of queue.splice(0)) settle({ kind: 'failed', reason });
      return;
    }
    if (asked) {
      asked.triesLeft -= 1;
      if (again && asked.triesLeft > 0) queue.unshift(asked);
      else asked.settle({ kind: 'failed', reason });
    }
    if (queue.length > 0) start();
  };

  /** An idle worker keeps no process alive. */
  const hold = (held: boolean): void => {
    for (const handle of [child, child?.stdin, child?.stdout, child?.stderr]) {
      if (
        handle &&
        'ref' in handle &&
        typeof handle.ref === 'function' &&
        'unref' in handle &&
        typeof handle.unref === 'function'
      )
        handle[held ? 'ref' : 'unref']();
    }
  };

  const ask = (): void => {
    if (!ready || current || !child) return;
    current = queue.shift();
    if (!current) {
      hold(false);
      limit(idleMs, 'it was idle', false);
      return;
    }
    hold(true);
    child.stdin?.write(current.line);
    limit(compareMs, `the comparison took longer than ${compareMs} ms`, false);
  };

  const receive = (line: string): void => {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      value = undefined;
    }
    const reply = replySchema.safeParse(value);
    if (!reply.success) {
      drop('the worker for mathematics wrote something unreadable', true);
      return;
    }
    if ('ready' in reply.data) ready = true;
    else if (reply.data.id === current?.id) {
      current.settle(comparisonOf(reply.data.equal, reply.data.reason));
      current = undefined;
    } else return;
    ask();
  };

  const start = (): void => {
    const started = spawn(options.python, ['-I', program], {
      cwd: tmpdir(),
      env: environment(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    child = started;
    let errors = '';
    started.stderr.on('data', (data: Buffer) => {
      errors = `${errors}${data.toString()}`.slice(-300);
    });
    // A write to a process that has just died fails here; its end is told by `close`.
    started.stdin.on('error', ignored);
    createInterface({ input: started.stdout }).on('line', (line) => {
      if (child === started) receive(line);
    });
    started.on('error', (error) => drop(`the worker for mathematics did not start: ${error.message}`, false));
    started.on('close', (code, signal) => {
      const last = errors.trim().split('\n').at(-1) ?? '';
      drop(`the worker for mathematics ended with ${signal ?? code}${last && `: ${last}`}`, true);
    });
    limit(startMs, `the worker for mathematics was not ready in ${startMs} ms`, false);
  };

  return {
    compare: (reference, answer) =>
      new Promise((settle) => {
        const id = next++;
        queue.push({ id, line: `${JSON.stringify({ id, reference, answer })}\n`, settle, triesLeft: 2 });
        if (child) ask();
        else start();
      }),
    close: async () => {
      const closed: MathComparison = { kind: 'failed', reason: 'the worker for mathematics was closed' };
      for (const { settle } of [...(current ? [current] : []), ...queue.splice(0)]) settle(closed);
      current = undefined;
      if (!child) return;
      const ended = once(child, 'exit', { signal: AbortSignal.timeout(5000) });
      hold(true);
      child.removeAllListeners('close');
      child.kill('SIGKILL');
      child = undefined;
      ready = false;
      clearTimeout(timer);
      await ended;
    },
    pid: () => child?.pid,
  };
};
