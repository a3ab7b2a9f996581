import { passes } from './probe.ts';
import type { Aliveness, Service } from './service.ts';

interface Watch {
  readonly launch: string;
  /** Whether this launch has worked before: until then it may still be starting, or the probe may not be for it. */
  readonly wasAlive: boolean;
  readonly misses: number;
  /** Monotonic time of the last look, milliseconds: time in which the machine slept is nobody's fault. */
  readonly lookedAt: number;
}

export interface Liveness {
  /** Says why a service that runs counts as hanging; undefined while it does not. Looks no more often than the service asks. */
  readonly hangs: (home: string, service: Service, launch: string) => Promise<string | undefined>;
}

const allPass = async (home: string, service: Service, { probes }: Aliveness): Promise<boolean> =>
  (await Promise.all(probes.map((probe) => passes(home, service, probe)))).every(Boolean);

/** Watches services that live: a program that is stopped, locked or spins answers nobody and does not end either. */
export const createLiveness = (): Liveness => {
  const watches = new Map<string, Watch>();
  return {
    hangs: async (home, service, launch) => {
      const { alive, name } = service;
      if (!alive) return undefined;
      const known = watches.get(name);
      const watch = known?.launch === launch ? known : { launch, wasAlive: false, misses: 0, lookedAt: -Infinity };
      // A probe that hangs takes its time too, which counts towards the next look.
      const lookedAt = performance.now();
      if (lookedAt - watch.lookedAt < alive.everyMs) return undefined;
      const works = await allPass(home, service, alive);
      const misses = works || !watch.wasAlive ? 0 : watch.misses + 1;
      watches.set(name, { launch, wasAlive: watch.wasAlive || works, misses, lookedAt });
      if (misses < alive.misses) return undefined;
      return `it lives, and has not answered ${misses} times in a row`;
    },
  };
};
