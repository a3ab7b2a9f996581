import { leaseOwnerVariable, leaseVariable } from '../../activities/lease-environment.ts';
import { findByEnvironment } from '../../processes/find-processes.ts';
import { readEnvironment } from '../../processes/proc-stat.ts';

const lookMs = 400;

/** A program that was seen: an attempt of a stage, on a host. */
export interface SeenProgram {
  readonly stage: string;
  /** `<run>/<stage>/<attempt>` */
  readonly id: string;
  readonly host: string;
  readonly lease: string;
  readonly firstSeen: number;
  lastSeen: number;
}

export interface Witness {
  readonly programs: () => readonly SeenProgram[];
  /** Programs of one stage that lived at the same time, and programs of one lease that lived on a host that had lost it. */
  readonly faults: () => readonly string[];
  readonly close: () => void;
}

const stageOf = (id: string): string => id.split('/').slice(1, -1).join('/');

/**
 * Looks again and again at the processes of all hosts, from outside of them, and notes which programs of a run live: it
 * sees also what runs on a host that is cut off. Agents of Ray write their titles over a part of their environment, so
 * where that does not say whose a program is, `hostOf` does.
 */
export const openWitness = (home: string, run: string, hostOf: (pid: number) => string | undefined): Witness => {
  const seen = new Map<string, SeenProgram>();
  const faults = new Set<string>();
  const look = (): void => {
    const now = Date.now();
    const living = new Map<string, Set<string>>();
    for (const { pid } of findByEnvironment({ LENSMITH_HOME: home, LENSMITH_RUN_ID: run })) {
      const environment = readEnvironment(pid);
      const id = environment.get('LENSMITH_PROCESS_ID');
      if (id === undefined) continue;
      const host = environment.get(leaseOwnerVariable)?.split(' ')[0] ?? hostOf(pid);
      if (host === undefined) continue;
      const key = `${id} on ${host}`;
      const known = seen.get(key);
      if (known) known.lastSeen = now;
      else {
        const lease = environment.get(leaseVariable) ?? '';
        seen.set(key, { stage: stageOf(id), id, host, lease, firstSeen: now, lastSeen: now });
      }
      living.set(stageOf(id), (living.get(stageOf(id)) ?? new Set()).add(key));
    }
    for (const keys of living.values()) if (keys.size > 1) faults.add([...keys].sort().join(' and '));
  };
  const timer = setInterval(look, lookMs);
  return { programs: () => [...seen.values()], faults: () => [...faults], close: () => clearInterval(timer) };
};
