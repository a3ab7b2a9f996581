import type { ProcessInfo } from '../processes/proc-stat.ts';
import type { Attempt } from './attempts.ts';

/** How a program ended, as far as whoever started it knows. */
export interface ProgramEnd {
  readonly exitCode: number | null;
  /** Name of the signal that ended it. */
  readonly signal: string | null;
  /** Status of its job where it was one of Ray; null says that Ray does not know the job. */
  readonly ray?: { readonly status: string | null; readonly message: string };
}

/** What a program is doing, told by whoever started it. */
export type ProgramState =
  | { readonly state: 'absent' }
  | { readonly state: 'running' }
  /** Whoever started it does not answer: it may live or not. */
  | { readonly state: 'unknown'; readonly detail: string }
  /** `detail` says how it ended: an exit code, a signal, a status of Ray. */
  | { readonly state: 'ended'; readonly detail: string; readonly end: ProgramEnd };

/** A program that does not live. */
export type EndedState = Exclude<ProgramState, { state: 'running' | 'unknown' }>;

/** Something to write down of a program that stands still. */
export interface Diagnostic {
  /** Name of the file that receives it. */
  readonly file: string;
  readonly collect: () => Promise<string>;
}

/**
 * Starts a program and finds it again, however often the worker restarts: as a process of this host, or as a job of
 * Ray. The program itself reports through its progress and outcome files.
 */
export interface ProgramLauncher {
  inspect(attempt: Attempt): Promise<ProgramState>;
  start(attempt: Attempt, command: readonly string[], env: Readonly<Record<string, string>>): Promise<void>;
  /** Ends the program and everything it started; returns when none of it lives. */
  stop(attempt: Attempt): Promise<void>;
  /** The processes of the program on this host. */
  processes(attempt: Attempt): Promise<ProcessInfo[]>;
  /** What the launcher can say of the program's surroundings. */
  readonly diagnostics: readonly Diagnostic[];
}
