import { factsOf, type UsageFact } from '../domain/gpu-hours-facts.ts';
import { heldBy } from '../domain/gpu-hours-resources.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef } from '../domain/stage.ts';
import type { Attempt } from './attempts.ts';
import { endOfAttempt } from './gpu-hours-end.ts';
import { addUsageFact, readUsageFacts } from './gpu-hours-record.ts';

/** A model server of a run, by the stage under which its attempts lie. */
export interface MeteredServer {
  readonly run: RunRef;
  readonly stage: string;
  readonly attempt: Attempt;
}

const isOf =
  ({ stage, attempt }: MeteredServer) =>
  (fact: UsageFact): boolean =>
    'attempt' in fact && fact.stage === stage && fact.attempt === attempt.number;

/** A server is about to be started; it holds the GPUs of its role, or its threads. */
export const serverBegins = (server: MeteredServer, spec: RunSpec, role: 'policy' | 'judge'): Promise<void> => {
  const gpus = role === 'judge' ? spec.gpus.judge : spec.gpus.evaluation;
  return addUsageFact(server.run, {
    kind: 'attempt-started',
    stage: server.stage,
    attempt: server.attempt.number,
    ...heldBy(spec, gpus, spec.serving.threads),
    role: 'server',
    resumeStep: null,
    folder: null,
    at: Date.now(),
  });
};

/** A server answers; it may have been told before. */
export const serverAnswers = async (server: MeteredServer): Promise<void> => {
  const facts = await readUsageFacts(server.run);
  if (factsOf(facts, 'attempt-running').some(isOf(server))) return;
  const { stage, attempt } = server;
  await addUsageFact(server.run, { kind: 'attempt-running', stage, attempt: attempt.number, at: Date.now() });
};

/** Gap between two signs of life in the ledger. */
const seenMs = 300_000;

/** Writes down, now and then, that a server was seen alive; for a watch that looks again and again. */
export const createServerWatch = (): ((server: MeteredServer) => Promise<void>) => {
  let seenAt = 0;
  return async ({ run, stage, attempt }) => {
    const now = Date.now();
    if (now - seenAt < seenMs) return;
    seenAt = now;
    await addUsageFact(run, { kind: 'attempt-seen', stage, attempt: attempt.number, at: now });
  };
};

/** A server is gone; only its first end counts. */
export const serverEnds = async (server: MeteredServer, failed: boolean): Promise<void> => {
  const facts = await readUsageFacts(server.run);
  const [started] = factsOf(facts, 'attempt-started').filter(isOf(server));
  if (!started || factsOf(facts, 'attempt-ended').some(isOf(server))) return;
  const { run, stage, attempt } = server;
  const signs = [...factsOf(facts, 'attempt-seen'), ...factsOf(facts, 'attempt-running')].filter(isOf(server));
  const at = await endOfAttempt(attempt, Math.max(0, ...signs.map((sign) => sign.at)));
  await addUsageFact(run, {
    kind: 'attempt-ended',
    stage,
    attempt: attempt.number,
    // One that left no word of its end has only just been stopped.
    at: at > started.at ? at : Date.now(),
    type: failed ? 'infrastructure' : null,
    succeeded: false,
  });
};

/** Does work during which servers are asked: an evaluation, or training whose rewards a judge decides. */
export const whileAsking = async <T>(
  run: RunRef,
  id: string,
  servers: readonly string[],
  work: () => Promise<T>,
): Promise<T> => {
  if (servers.length === 0) return work();
  await addUsageFact(run, { kind: 'evaluation-began', id, servers: [...servers], at: Date.now() });
  try {
    return await work();
  } finally {
    await addUsageFact(run, { kind: 'evaluation-ended', id, at: Date.now() });
  }
};
