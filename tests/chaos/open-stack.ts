import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stackUp } from '../../infra/local/stack-up.ts';
import { findByEnvironment } from '../../processes/find-processes.ts';
import { freePorts } from '../../processes/free-port.ts';
import { type ChaosStack, lensmith } from './disturbed-run.ts';

const portNames = ['temporal', 'temporalUi', 'ray', 'rayDashboard', 'rayClient', 'rayAgent', 'toolServer'] as const;

export interface OpenStack extends ChaosStack {
  /** Ends everything; says what lives on or lies about afterwards. */
  readonly close: () => Promise<string[]>;
}

/** A stack on free ports with a home and a folder of temporary files of its own. */
export const openStack = async (): Promise<OpenStack> => {
  const root = await mkdtemp(join(tmpdir(), 'chaos-'));
  const [home, temporary] = [join(root, 'home'), join(root, 'tmp')];
  await mkdir(temporary);
  const free = await freePorts(portNames.length);
  const ports = Object.fromEntries(portNames.map((name, index) => [name, free[index]]));
  // What the stack starts takes its environment from here.
  process.env.TMPDIR = temporary;
  const state = await stackUp({ home, ports });
  const env = { LENSMITH_HOME: home, TMPDIR: temporary };
  const stack: ChaosStack = { home, temporal: `127.0.0.1:${state.ports.temporal}`, env };
  return {
    ...stack,
    close: async () => {
      await lensmith(stack, ['down'], 120_000);
      const living = findByEnvironment({ LENSMITH_HOME: home }).map(({ command }) => `lives on: ${command}`);
      // The caches of Node and PyTorch, and what Python makes for a process that is killed, are not ours.
      const ours = (await readdir(temporary)).filter((name) => name.startsWith('lensmith'));
      const lying = ours.map((name) => `left in its temporary folder: ${name}`);
      await rm(root, { recursive: true, force: true });
      return [...living, ...lying];
    },
  };
};
