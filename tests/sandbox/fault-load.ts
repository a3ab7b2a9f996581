import { setTimeout as delay } from 'node:timers/promises';
import type { CallOutcome, ExecutionResult } from '../../domain/sandbox.ts';
import type { Sandbox, Session } from '../../sandbox/open-sandbox.ts';

/** What became of a load of sessions. */
export interface LoadReport {
  readonly outcomes: Map<CallOutcome, number>;
  /** Results that no session could have had, in words. */
  readonly wrong: string[];
  /** Why sessions could not be opened, and how often. */
  readonly refused: Map<string, number>;
  /** When each session that was opened gave its first result, milliseconds of `performance.now`. */
  readonly begun: number[];
}

// Many sessions ask less often each, as those of models do, which write in between.
const pauseForEachMs = 4;

const begin = (secret: number): string => `secret, count = ${secret}, 0`;
const step = 'count += 1\nprint(secret * 1_000_000 + count)';

const judge = (report: LoadReport, result: ExecutionResult, expected: number): boolean => {
  report.outcomes.set(result.outcome, (report.outcomes.get(result.outcome) ?? 0) + 1);
  if (result.outcome === 'ok') {
    if (result.stdout !== `${expected}\n`) report.wrong.push(`expected ${expected}, got ${result.stdout}`);
    return true;
  }
  if (result.stdout !== '' || result.images.length > 0) report.wrong.push(`output of a failed call: ${result.stdout}`);
  return false;
};

/** Calls in one session until it is lost or forgets; every result has to be the session's own next number. */
const useSession = async (
  session: Session,
  secret: number,
  report: LoadReport,
  ended: () => boolean,
  pauseMs: number,
): Promise<void> => {
  const begun = await session.execute({ code: begin(secret) });
  if (begun.outcome !== 'no_output') return;
  report.begun.push(performance.now());
  let count = 0;
  while (!ended()) {
    const result = await session.execute({ code: step });
    const right = judge(report, result, secret * 1_000_000 + count + 1);
    if (right) count += 1;
    // After a refusal the session starts again from its input, and knows its number no more.
    else if (result.outcome === 'policy' || result.outcome === 'infrastructure') return;
    else if (result.outcome === 'exception') report.wrong.push(`expected no exception, got ${result.error?.message}`);
    await delay(pauseMs);
  }
};

export const emptyReport = (): LoadReport => ({ outcomes: new Map(), wrong: [], refused: new Map(), begun: [] });

/**
 * Keeps `sessions` sessions busy until `ended`, each with a number of its own; a lost one is opened again. What becomes of
 * them is told in `report` as it happens.
 */
export const runLoad = async (
  sandbox: Sandbox,
  sessions: number,
  ended: () => boolean,
  report = emptyReport(),
): Promise<LoadReport> => {
  const worker = async (secret: number): Promise<void> => {
    while (!ended()) {
      const session = await sandbox.createSession({}).catch((error: unknown) => {
        const reason = String(error);
        report.refused.set(reason, (report.refused.get(reason) ?? 0) + 1);
      });
      if (!session) {
        await delay(50);
        continue;
      }
      await useSession(session, secret, report, ended, sessions * pauseForEachMs);
      await session.close();
    }
  };
  await Promise.all(Array.from({ length: sessions }, (_, index) => worker(index + 1)));
  return report;
};
