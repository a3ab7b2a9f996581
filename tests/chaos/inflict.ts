import { setTimeout as delay } from 'node:timers/promises';
import type { ProcessInfo } from '../../processes/proc-stat.ts';
import { readProcess } from '../../processes/proc-stat.ts';
import { type Component, processesOf } from './components.ts';
import type { FaultKind } from './draw-faults.ts';

const pauseMs = 6000;

const isSame = (info: ProcessInfo): boolean => readProcess(info.pid)?.startTicks === info.startTicks;

const send = (targets: readonly ProcessInfo[], signal: NodeJS.Signals): void => {
  for (const info of targets)
    if (isSame(info))
      try {
        process.kill(info.pid, signal);
      } catch {
        // It ended between the look and the signal.
      }
};

export interface Inflicted {
  readonly targets: readonly ProcessInfo[];
  /** Unix time, milliseconds. */
  readonly at: number;
}

/** Does a fault to all processes of a component; undefined where it has none. A pause is over when this returns. */
export const inflict = async (home: string, component: Component, kind: FaultKind): Promise<Inflicted | undefined> => {
  const targets = processesOf(home, component);
  if (targets.length === 0) return undefined;
  const at = Date.now();
  send(targets, kind === 'kill' ? 'SIGKILL' : 'SIGSTOP');
  if (kind === 'pause') {
    await delay(pauseMs);
    send(targets, 'SIGCONT');
  }
  return { targets, at };
};

/** Whether every process that the fault met has gone. */
export const haveGone = ({ targets }: Inflicted): boolean => !targets.some(isSame);
