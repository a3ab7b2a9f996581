import { listProcesses } from './find-processes.ts';
import { readEnvironment } from './proc-stat.ts';

/** Ids of what is named by a variable in the environment of a living process, where another variable has a value. */
export const findNamed = (variable: string, where: { readonly variable: string; readonly value: string }): string[] => {
  const found = new Set<string>();
  for (const { pid } of listProcesses()) {
    const environment = readEnvironment(pid);
    const name = environment.get(variable);
    if (name !== undefined && environment.get(where.variable) === where.value) found.add(name);
  }
  return [...found];
};
