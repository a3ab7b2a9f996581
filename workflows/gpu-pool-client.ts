import {
  ApplicationFailure,
  CancellationScope,
  condition,
  getExternalWorkflowHandle,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Lease, LeaseAnswer, LeaseRequestInput } from '../domain/lease.ts';
import { leaseAnswerSignal, poolWorkflowId, releaseLeaseSignal, requestLeaseSignal } from './gpu-pool-messages.ts';

/** Where the pool's answers to one workflow arrive. */
export interface LeaseDesk {
  readonly answers: ReadonlyMap<string, LeaseAnswer>;
}

/** A request without the holder, which is the workflow that asks. */
export type LeaseWish = Omit<LeaseRequestInput, 'holder'>;

/** Opens the desk of this workflow: once, before its first lease. */
export const openLeaseDesk = (): LeaseDesk => {
  const answers = new Map<string, LeaseAnswer>();
  setHandler(leaseAnswerSignal, (answer) => {
    answers.set(answer.id, answer);
  });
  return { answers };
};

const firstAskAgainMs = 60_000;
const lastAskAgainMs = 900_000;

const settled = (answer: LeaseAnswer | undefined): boolean => answer !== undefined && answer.state !== 'waiting';

/** The pool begins with its first host: until then a request finds nobody, which is a wait like any other. */
const ask = async (wish: LeaseWish): Promise<string> => {
  const request: LeaseRequestInput = { ...wish, holder: workflowInfo().workflowId };
  try {
    await getExternalWorkflowHandle(poolWorkflowId).signal(requestLeaseSignal, request);
    return 'the pool has not answered yet';
  } catch (error) {
    if (CancellationScope.current().consideredCancelled) throw error;
    return 'no host has registered yet, so there is no pool to ask';
  }
};

/**
 * Asks the pool for a lease and waits until it is granted; `onWait` hears why it is not yet. A workflow that is
 * cancelled meanwhile gives its place in the queue up. The id names this lease for ever: after its end ask under another.
 *
 * @throws ApplicationFailure `config` where the request is refused, `infrastructure` where its wait is over
 * @example
 * const desk = openLeaseDesk();
 * const lease = await acquireLease(desk, {
 *   id: `${workflowInfo().workflowId}/rl`,
 *   group: run.run,
 *   purpose: 'rl',
 *   parts: [
 *     { name: 'trainer', hosts: 2, gpus: 8, cpus: 32, ports: 16 },
 *     { name: 'judge', gpus: 1, ports: 1, apart: ['trainer'] },
 *   ],
 * });
 * try {
 *   const [first] = lease.placements;
 *   await whileLeased(desk, lease, () => train(first.host, first.gpus, lease.fence));
 * } finally {
 *   await releaseLease(lease);
 * }
 */
export const acquireLease = async (
  desk: LeaseDesk,
  wish: LeaseWish,
  onWait: (reason: string) => void = () => undefined,
): Promise<Lease> => {
  const { id } = wish;
  const answer = (): LeaseAnswer | undefined => desk.answers.get(id);
  try {
    for (let askAgainMs = firstAskAgainMs; !settled(answer()); askAgainMs = Math.min(2 * askAgainMs, lastAskAgainMs)) {
      const asked = await ask(wish);
      // The answer to the request itself says why it waits; only a change of that is worth telling.
      const seen = answer();
      if (!(await condition(() => answer() !== seen, Math.min(askAgainMs, 10_000)))) onWait(asked);
      const now = answer();
      if (now?.state === 'waiting') onWait(`place ${now.place} in the queue: ${now.reason}`);
      if (!settled(now)) await condition(() => settled(answer()), askAgainMs);
    }
  } catch (error) {
    await CancellationScope.nonCancellable(() => release(id, null));
    throw error;
  }
  const last = answer();
  if (last?.state === 'granted') return last.lease;
  const ending = last?.state === 'ended' ? last : undefined;
  const type = ending?.ending === 'refused' ? 'config' : 'infrastructure';
  throw ApplicationFailure.create({
    type,
    nonRetryable: type === 'config',
    message: `the pool does not grant the lease ${id}: ${ending?.ending ?? 'no answer'}: ${ending?.reason ?? ''}`,
  });
};

const release = async (id: string, fence: number | null): Promise<void> => {
  try {
    await getExternalWorkflowHandle(poolWorkflowId).signal(releaseLeaseSignal, { id, fence });
  } catch {
    // Without a pool there is nothing to give back.
  }
};

/** Gives a lease back, also when the workflow is cancelled. */
export const releaseLease = (lease: Pick<Lease, 'id' | 'fence'>): Promise<void> =>
  CancellationScope.nonCancellable(() => release(lease.id, lease.fence));

/**
 * Works as long as the lease is held: where the pool takes it away, because its host is lost or it has expired, the work
 * is cancelled.
 *
 * @throws ApplicationFailure `infrastructure` where the lease is lost
 */
export const whileLeased = async <T>(desk: LeaseDesk, lease: Lease, work: () => Promise<T>): Promise<T> => {
  const taken = (): Extract<LeaseAnswer, { state: 'ended' }> | undefined => {
    const answer = desk.answers.get(lease.id);
    return answer?.state === 'ended' ? answer : undefined;
  };
  const scope = new CancellationScope();
  const watch = new CancellationScope();
  const loss = watch
    .run(() => condition(() => taken() !== undefined))
    .then(
      () => scope.cancel(),
      () => undefined,
    );
  try {
    return await scope.run(work);
  } catch (error) {
    const ending = taken();
    if (!ending) throw error;
    throw ApplicationFailure.create({
      type: 'infrastructure',
      message: `the lease ${lease.id} was lost: ${ending.ending}: ${ending.reason}`,
    });
  } finally {
    watch.cancel();
    await loss;
  }
};
