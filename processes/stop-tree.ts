import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import type { ProcessSelector } from './find-processes.ts';
import { readLedger } from './ledger.ts';
import type { ProcessInfo } from './proc-stat.ts';
import { findTree, isOwnProgram } from './process-tree.ts';
import { lives, signalProcess } from './signal-process.ts';

export type StopOptions = ProcessSelector & {
  /** Folder of the program's ledger, which adds its session to what is stopped. */
  readonly dir?: string;
  /** Time between SIGTERM and SIGKILL, milliseconds. @default 10000 */
  readonly graceMs?: number;
  /** Time that killed processes have to vanish, milliseconds. @default 10000 */
  readonly killMs?: number;
};

export interface StopResult {
  /** Ended after SIGTERM. */
  readonly terminated: readonly ProcessInfo[];
  /** Needed SIGKILL. */
  readonly killed: readonly ProcessInfo[];
}

/** A process for good: pids are given again. */
const keyOf = ({ pid, startTicks }: ProcessInfo): string => `${pid} ${startTicks}`;

/**
 * Signals what lives of the tree, again and again because it may still grow; gives back what is left at the end. What was
 * seen in it once belongs to it, also when the parent by which it was found has ended.
 */
const signalUntilGone = async (
  find: () => ProcessInfo[],
  name: 'SIGTERM' | 'SIGKILL',
  limitMs: number,
  seen: Map<string, ProcessInfo>,
): Promise<ProcessInfo[]> => {
  const deadline = Date.now() + limitMs;
  const signalled = new Set<string>();
  for (let pause = 20; ; pause = Math.min(pause * 2, 250)) {
    const found = new Map(find().map((info) => [keyOf(info), info]));
    // What has become a program of its own meanwhile is none.
    const strays = [...seen].flatMap(([key, info]) =>
      found.has(key) || !lives(info) || isOwnProgram(info.pid) ? [] : [info],
    );
    for (const [key, info] of found) seen.set(key, info);
    const alive = [...found.values(), ...strays];
    for (const info of alive) {
      const key = keyOf(info);
      if (signalled.has(key) && name === 'SIGTERM') continue;
      signalled.add(key);
      signalProcess(info, name);
    }
    if (alive.length === 0 || Date.now() >= deadline) return alive;
    await delay(pause);
  }
};

/**
 * Stops a program and all that it started: SIGTERM, a time to end well, SIGKILL, and the proof that none of it lives.
 * What has left the session or cleared its environment is stopped too; programs of their own are not.
 *
 * @throws LensmithError `infrastructure` naming what could not be killed.
 */
export const stopTree = async ({
  dir,
  graceMs = 10_000,
  killMs = 10_000,
  ...selector
}: StopOptions): Promise<StopResult> => {
  const leader = dir === undefined ? null : ((await readLedger(dir))?.process ?? null);
  const find = () => findTree(selector, leader);
  const seen = new Map<string, ProcessInfo>();

  const stubborn = await signalUntilGone(find, 'SIGTERM', graceMs, seen);
  const left = stubborn.length === 0 ? [] : await signalUntilGone(find, 'SIGKILL', killMs, seen);
  if (left.length > 0) {
    const names = left.map(({ pid, command }) => `${pid} (${command.slice(0, 80)})`).join(', ');
    throw new LensmithError('infrastructure', `these processes did not end within ${killMs} ms of SIGKILL: ${names}`);
  }
  const killedPids = new Set(stubborn.map(({ pid }) => pid));
  const all = [...seen.values()];
  return {
    terminated: all.filter(({ pid }) => !killedPids.has(pid)),
    killed: all.filter(({ pid }) => killedPids.has(pid)),
  };
};
