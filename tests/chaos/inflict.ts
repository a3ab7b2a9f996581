import type { ProcessInfo } from '../../processes/proc-stat.ts';
import { readProcess } from '../../processes/proc-stat.ts';
import { type Component, processesOf } from './components.ts';
import type { Fault } from './fault.ts';
import { fillDisk } from './fill-disk.ts';
import type { ChaosStack } from './open-stack.ts';
import { cut, portsOf } from './partition.ts';

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
  /** Whether it needs another process in place of those that it met. */
  readonly needsAnother: boolean;
  /** Ends a fault that passes; others stay as they are. Called again it changes nothing. */
  readonly heal: () => Promise<void>;
}

const nothing = async (): Promise<void> => undefined;

const once = (heal: () => Promise<void>): (() => Promise<void>) => {
  let done: Promise<void> | undefined;
  return () => {
    done ??= heal();
    return done;
  };
};

/** Does a fault to all of a component; undefined where it is not there. */
export const inflict = async (
  stack: ChaosStack,
  component: Component,
  { kind }: Fault,
): Promise<Inflicted | undefined> => {
  const at = Date.now();
  if (kind === 'fill') {
    const folder = component.disk && stack.disks[component.disk];
    return folder === undefined
      ? undefined
      : { targets: [], at, needsAnother: false, heal: once(await fillDisk(folder)) };
  }
  const targets = processesOf(stack.home, component);
  if (targets.length === 0) return undefined;
  switch (kind) {
    case 'kill':
      send(targets, 'SIGKILL');
      return { targets, at, needsAnother: true, heal: nothing };
    case 'hang':
      send(targets, 'SIGSTOP');
      return { targets, at, needsAnother: true, heal: nothing };
    case 'pause':
      send(targets, 'SIGSTOP');
      return { targets, at, needsAnother: false, heal: async () => send(targets, 'SIGCONT') };
    case 'partition': {
      const relays = (component.links ?? []).map((link) => stack.links[link]).filter((port) => port !== undefined);
      const ports = component.links ? relays : portsOf(targets);
      return ports.length === 0 ? undefined : { targets, at, needsAnother: false, heal: once(await cut(ports)) };
    }
  }
};

/** Whether every process that the fault met has gone. */
export const haveGone = ({ targets }: Inflicted): boolean => !targets.some(isSame);
