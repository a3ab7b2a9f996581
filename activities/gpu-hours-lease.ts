import { factsOf } from '../domain/gpu-hours-facts.ts';
import type { HeldResources } from '../domain/gpu-hours-resources.ts';
import type { RunLease, RunRef } from '../domain/stage.ts';
import { addUsageFact, readUsageFacts } from './gpu-hours-record.ts';

/** Tells a lease from a later one of the same name, and the shares of a gang from each other. */
const idOf = ({ id, fence, host }: RunLease): string => `${id} ${fence}${host === undefined ? '' : ` ${host}`}`;

/** What is leased: GPUs, or the processor slots of a share without any. */
const leasedShare = ({ gpus, cpus = 0 }: RunLease): HeldResources =>
  gpus.length > 0 ? { unit: 'gpu', count: gpus.length } : { unit: 'cpu-slot', count: cpus };

/** Something is leased to the work that begins now; told again, as in another attempt, it changes nothing. */
export const leaseBegins = async (run: RunRef): Promise<void> => {
  if (!run.lease || leasedShare(run.lease).count === 0) return;
  const id = idOf(run.lease);
  if (factsOf(await readUsageFacts(run), 'lease-granted').some((fact) => fact.id === id)) return;
  await addUsageFact(run, { kind: 'lease-granted', id, ...leasedShare(run.lease), at: Date.now() });
};

/** The work under a lease is over for now; where another attempt goes on under it, that one's end counts. */
export const leaseEnds = async (run: RunRef): Promise<void> => {
  if (!run.lease || leasedShare(run.lease).count === 0) return;
  await addUsageFact(run, { kind: 'lease-released', id: idOf(run.lease), at: Date.now() });
};

/** Does work of a run under what is leased to it, if anything is. */
export const underLease = async <T>(run: RunRef, work: () => Promise<T>): Promise<T> => {
  await leaseBegins(run);
  try {
    return await work();
  } finally {
    await leaseEnds(run);
  }
};
