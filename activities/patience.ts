import { stat } from 'node:fs/promises';
import { sleep } from '@temporalio/activity';
import { LensmithError } from '../domain/errors.ts';
import type { Attempt } from './attempts.ts';
import type { ProgramLauncher, ProgramState } from './program-launcher.ts';

const firstWaitMs = 500;
const longestWaitMs = 10_000;

type KnownState = Exclude<ProgramState, { state: 'unknown' }>;

/** A launcher whose keeper may be silent for a bounded time. */
export interface Patience {
  /** One look; `unknown` as long as the silence may last. */
  readonly inspect: (attempt: Attempt) => Promise<ProgramState>;
  readonly inspectUntilKnown: (attempt: Attempt) => Promise<KnownState>;
  readonly start: ProgramLauncher['start'];
}

/**
 * Bears the silence of whoever keeps a program (the head of Ray that starts again, a network that is cut) for a bounded
 * time, asking ever more rarely. A program that said how it ended has ended, whoever is silent.
 *
 * @throws LensmithError `ray_head` past `seconds` of silence. A cancellation ends the waits.
 */
export const createPatience = (launcher: ProgramLauncher, seconds: number): Patience => {
  let silentSince: number | undefined;
  let nextLookAt = 0;

  const bear = (detail: string, cause?: unknown): number => {
    const now = Date.now();
    silentSince ??= now;
    const silentMs = now - silentSince;
    if (silentMs > seconds * 1000)
      throw new LensmithError('ray_head', `silent for ${Math.round(silentMs / 1000)} s: ${detail}`, { cause });
    return Math.min(longestWaitMs, Math.max(firstWaitMs, silentMs));
  };

  const inspect = async (attempt: Attempt): Promise<ProgramState> => {
    if (silentSince !== undefined && Date.now() < nextLookAt) return { state: 'unknown', detail: 'asked lately' };
    const state = await launcher.inspect(attempt);
    if (state.state !== 'unknown') {
      silentSince = undefined;
      return state;
    }
    if (await stat(attempt.outcome).catch(() => undefined))
      return { state: 'ended', detail: state.detail, end: { exitCode: null, signal: null } };
    nextLookAt = Date.now() + bear(state.detail);
    return state;
  };

  const start: ProgramLauncher['start'] = async (attempt, command, env) => {
    for (;;) {
      try {
        await launcher.start(attempt, command, env);
        silentSince = undefined;
        return;
      } catch (error) {
        if (!(error instanceof LensmithError) || error.type !== 'ray_head') throw error;
        await sleep(bear(error.message, error));
      }
    }
  };

  return {
    inspect,
    inspectUntilKnown: async (attempt) => {
      for (;;) {
        const state = await inspect(attempt);
        if (state.state !== 'unknown') return state;
        await sleep(firstWaitMs);
      }
    },
    start,
  };
};
