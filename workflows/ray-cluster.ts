import { ApplicationFailure, CancellationScope, isCancellation, sleep } from '@temporalio/workflow';
import type { RayHead } from '../activities/ray-node.ts';
import type { Place } from './places.ts';

/** A node that was there for so long was well. */
const calmMs = 10 * 60_000;
const longestPauseMs = 30_000;
const stopMs = 60_000;
/** Of a gang one host may be silent, which says by itself that nothing runs there, while the others answer. */
const silentStopMs = 15_000;

export interface RayClusterOptions {
  /** Times in a row that a node may die before the stage fails. */
  readonly attempts: number;
  /** Hears of each node that has died. */
  readonly onNote: (note: string) => void;
}

/** Starts a node again each time it dies; returns only by a failure. */
const keepNode = async (
  { hostName, host, run }: Place,
  head: RayHead | null,
  { attempts, onNote }: RayClusterOptions,
): Promise<never> => {
  for (let died = 0; ; ) {
    const since = Date.now();
    const ended = await host.long.superviseRayNode(run, head?.gcs ?? null);
    died = Date.now() - since > calmMs ? 1 : died + 1;
    const said = `the node of Ray on ${hostName} died (${ended})`;
    if (died >= attempts)
      throw ApplicationFailure.create({ type: 'ray_head', message: `${said}, ${died} times in a row` });
    onNote(`${said}, starts it again`);
    await sleep(Math.min(longestPauseMs, 1000 * 2 ** died));
    await host.long.launchRayNode(run, head?.gcs ?? null);
    onNote(`${said} and is there again`);
  }
};

const stop = ({ host, run, isSilent }: Place): Promise<void> =>
  Promise.race([host.cleanup.stopRayNode(run).catch(() => undefined), sleep(isSilent() ? silentStopMs : stopMs)]);

/**
 * Works beside a cluster of Ray on leased hosts: its head is on the first, a node on each of the others. Nodes that die
 * are started again, and all are taken down at every ending. The work gets the first place, with the cluster's address.
 *
 * @throws ApplicationFailure `ray_head` where a node dies again and again
 */
export const withRayCluster = async <T>(
  first: Place,
  others: readonly Place[],
  options: RayClusterOptions,
  work: (place: Place) => Promise<T>,
): Promise<T> => {
  const places = [first, ...others];
  const doing = new CancellationScope();
  const watch = new CancellationScope();
  let broken: unknown;
  try {
    const head = await first.host.long.launchRayNode(first.run, null);
    await Promise.all(others.map(({ host, run }) => host.long.launchRayNode(run, head.gcs)));
    const kept = watch.run(() =>
      Promise.all(places.map((place) => keepNode(place, place === first ? null : head, options))),
    );
    kept.catch((error: unknown) => {
      if (isCancellation(error)) return;
      broken = error;
      doing.cancel();
    });
    const ray = { address: head.address, nodes: places.length };
    return await doing.run(() => work({ ...first, run: { ...first.run, ray } }));
  } catch (error) {
    throw broken ?? error;
  } finally {
    watch.cancel();
    await CancellationScope.nonCancellable(() => Promise.all(places.map(stop)));
  }
};
