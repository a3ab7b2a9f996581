import { resolve } from 'node:path';
import { withLock } from '../../processes/with-lock.ts';
import { stackId } from './stack-paths.ts';
import { readStackState } from './stack-state.ts';
import { stopStack } from './stop-stack.ts';

export interface StackDownOptions {
  readonly home: string;
  /** Receives one line for each thing that was stopped. */
  readonly write?: (line: string) => void;
}

/**
 * Stops the local stack and the programs that its runs started, and proves that none lives. The histories of Temporal,
 * the runs and the addresses stay, so that the next `stackUp` goes on.
 *
 * @throws LensmithError `infrastructure` naming what could not be stopped.
 */
export const stackDown = async ({ home, write = () => undefined }: StackDownOptions): Promise<void> => {
  const folder = resolve(home);
  await withLock(`${stackId(folder)}-change`, async () => {
    if (!(await readStackState(folder))) return write(`no stack was ever started in ${folder}`);
    await stopStack(folder, write);
    write('nothing of the stack runs any more');
  });
};
