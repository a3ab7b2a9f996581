import { CancellationScope, isCancellation, log, Trigger } from '@temporalio/workflow';
import type { ServerEndpoint } from '../activities/model-server.ts';
import { failureNote } from './failure.ts';
import type { Place, Places, PlaceWish } from './places.ts';
import type { ServedModel } from './with-server.ts';

export interface KeptJudge {
  readonly places: Places;
  readonly wish: PlaceWish;
  readonly start: (place: Place) => Promise<ServedModel>;
  /** Hears each time that the judge answers, first or elsewhere. */
  readonly onServed: (endpoint: ServerEndpoint) => void;
}

/**
 * Works beside a judge that has a lease of its own. Where that is lost the judge is served again under another one, and
 * the work goes on meanwhile: an answer that waits for the judge is asked again, or its episode is masked. Where it cannot
 * be served at all any more, the work goes on without it.
 *
 * @throws what the first start of the judge failed with, before the work begins
 */
export const withKeptJudge = async <T>(
  { places, wish, start, onServed }: KeptJudge,
  work: (judge: () => ServerEndpoint | null) => Promise<T>,
): Promise<T> => {
  const serving = new CancellationScope();
  const first = new Trigger<ServerEndpoint>();
  let endpoint: ServerEndpoint | null = null;
  let working = false;
  const served = serving.run(() =>
    places.on(wish, async (place) => {
      const judge = await start(place);
      endpoint = judge.endpoint();
      onServed(endpoint);
      first.resolve(endpoint);
      try {
        return await Promise.race([CancellationScope.current().cancelRequested, judge.failed]);
      } finally {
        await CancellationScope.nonCancellable(judge.stop);
      }
    }),
  );
  const over = served.catch((error: unknown) => {
    if (isCancellation(error) || !working) return;
    log.warn('the judge is served no more', { error: failureNote(error) });
    wish.onNote(`is served no more, what the rules leave open stays so: ${failureNote(error)}`);
  });
  try {
    await Promise.race([first, served]);
    working = true;
    return await work(() => endpoint);
  } finally {
    serving.cancel();
    await CancellationScope.nonCancellable(() => over);
  }
};
