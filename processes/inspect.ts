import { constants } from 'node:os';
import { findByEnvironment } from './find-processes.ts';
import { type Exit, identify, type Ledger, livesStill, readExit, readLedger, writeLedger } from './ledger.ts';

export const launchVariable = 'LENSMITH_LAUNCH_ID';

/** What became of the program that was started in a folder. */
export type Inspection =
  /** Nothing was ever started there. */
  | { readonly state: 'absent' }
  | { readonly state: 'running'; readonly ledger: Ledger }
  /** `signal` is the name of the signal that ended it, or null; `code` is then 128 + its number. */
  | { readonly state: 'exited'; readonly ledger: Ledger; readonly code: number; readonly signal: string | null }
  /** It does not live and left no exit code: it was killed with its wrapper, the host went down, or it never began. */
  | { readonly state: 'lost'; readonly ledger: Ledger };

const signalOf = (code: number): string | null =>
  Object.entries(constants.signals).find(([, number]) => number === code - 128)?.[0] ?? null;

const exited = (ledger: Ledger, { code }: Exit): Inspection => ({
  state: 'exited',
  ledger,
  code,
  signal: code > 128 ? signalOf(code) : null,
});

/** A launcher that died between its intent and the pid has left a program that only its environment gives away. */
const adopt = async (dir: string, ledger: Ledger): Promise<Ledger> => {
  // What the program started may lead a session too, but began later.
  const [leader] = findByEnvironment({ [launchVariable]: ledger.launch })
    .filter(({ pid, session }) => pid === session)
    .sort((a, b) => a.startTicks - b.startTicks);
  const process = leader && identify(leader.pid);
  if (!process) return ledger;
  const complete = { ...ledger, process };
  await writeLedger(dir, complete);
  return complete;
};

/**
 * Finds a program again by the ledger of its folder, however often its launcher was restarted. A recycled pid is not
 * taken for it.
 */
export const inspect = async (dir: string): Promise<Inspection> => {
  const written = await readLedger(dir);
  if (!written) return { state: 'absent' };
  const ledger = written.process ? written : await adopt(dir, written);
  const running = ledger.process !== null && livesStill(ledger.process);

  // The exit code is read after the look at the process, which may end between the two.
  const exit = await readExit(dir);
  if (exit?.launch === ledger.launch) return exited(ledger, exit);
  return { state: running ? 'running' : 'lost', ledger };
};
