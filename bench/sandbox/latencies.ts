import { setTimeout as delay } from 'node:timers/promises';
import type { Subject } from './subject.ts';

/** What a session rests before a further call that is not back to back, milliseconds. */
export const pauseMs = 20;
const callsPerSession = 10;
/**
 * Sessions of each fast subject before anything is measured: V8 compiles what runs often, so a supervisor that has been
 * up for a few seconds answers faster than one that has just begun.
 */
const warmSessions = 300;
const warmCalls = 5;
// A pool fills again, and a peer ends its processes, while nobody is measured.
const betweenMs = 150;

/** Milliseconds of each kind of wait, by subject. */
export interface Latencies {
  readonly opened: Map<string, number[]>;
  readonly backToBack: Map<string, number[]>;
  readonly paced: Map<string, number[]>;
}

const add = (into: Map<string, number[]>, name: string, value: number): void => {
  into.set(name, [...(into.get(name) ?? []), value]);
};

const measure = async (subject: Subject, into: Latencies): Promise<void> => {
  const session = await subject.open();
  add(into.opened, subject.name, session.openMs);
  for (let count = 0; session.call && count < callsPerSession; count += 1) {
    add(into.backToBack, subject.name, await session.call());
  }
  for (let count = 0; session.call && count < callsPerSession; count += 1) {
    await delay(pauseMs);
    add(into.paced, subject.name, await session.call());
  }
  await session.close();
};

/** Lets a subject do what it will be measured at. */
const warmUp = async (subject: Subject): Promise<void> => {
  for (let sessions = 0; sessions < (subject.slow ? 1 : warmSessions); sessions += 1) {
    const session = await subject.open();
    for (let calls = 0; session.call && calls < warmCalls; calls += 1) await session.call();
    await session.close();
  }
};

/** Measures all subjects one after the other, `rounds` times; the slow ones in every tenth round. */
export const measureLatencies = async (subjects: readonly Subject[], rounds: number): Promise<Latencies> => {
  const into: Latencies = { opened: new Map(), backToBack: new Map(), paced: new Map() };
  for (const subject of subjects) await warmUp(subject);
  for (let round = 0; round < rounds; round += 1) {
    for (const subject of subjects) {
      if (subject.slow && round % 10 !== 0) continue;
      await delay(betweenMs);
      await measure(subject, into);
    }
  }
  return into;
};
