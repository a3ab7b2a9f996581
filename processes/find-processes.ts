import { readdirSync } from 'node:fs';
import { type ProcessInfo, readEnvironment, readProcess } from './proc-stat.ts';

export const runIdVariable = 'LENSMITH_RUN_ID';
export const processIdVariable = 'LENSMITH_PROCESS_ID';

/** What a program of ours and all that it starts carry in their environment. */
export type ProcessSelector = { readonly processId: string } | { readonly runId: string };

/** Every living process of this host that may be seen, but this one. */
export const listProcesses = (): ProcessInfo[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((name) => readProcess(Number(name)) ?? []);

/** Living processes whose environment holds all these variables with these values. */
export const findByEnvironment = (variables: Readonly<Record<string, string>>): ProcessInfo[] => {
  const wanted = Object.entries(variables);
  return listProcesses().filter(({ pid }) => {
    const environment = readEnvironment(pid);
    return wanted.every(([name, value]) => environment.get(name) === value);
  });
};

/** Living processes of a run, or of one program of it, wherever they have moved to. */
export const findProcesses = (selector: ProcessSelector): ProcessInfo[] =>
  findByEnvironment(
    'processId' in selector ? { [processIdVariable]: selector.processId } : { [runIdVariable]: selector.runId },
  );
