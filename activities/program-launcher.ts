import type { Attempt } from './attempts.ts';

/** What a program is doing, told by whoever started it. */
export type ProgramState =
  | { readonly state: 'absent' }
  | { readonly state: 'running' }
  /** `detail` says how it ended: an exit code, a signal, a status of Ray. */
  | { readonly state: 'ended'; readonly detail: string };

/**
 * Starts a program and finds it again, however often the worker restarts: as a process of this host, or as a job of
 * Ray. The program itself reports through its progress and outcome files.
 */
export interface ProgramLauncher {
  inspect(attempt: Attempt): Promise<ProgramState>;
  start(attempt: Attempt, command: readonly string[], env: Readonly<Record<string, string>>): Promise<void>;
  /** Ends the program and everything it started; returns when none of it lives. */
  stop(attempt: Attempt): Promise<void>;
}
