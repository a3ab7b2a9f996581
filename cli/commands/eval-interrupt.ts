/** How a person stops an evaluation: the first signal lets what runs finish, the second one breaks it off. */
export interface Interrupt {
  readonly drain: AbortSignal;
  readonly stop: AbortSignal;
  readonly end: () => void;
}

/** Listens to SIGINT and SIGTERM until `end`. */
export const listenForInterrupt = (say: (line: string) => void): Interrupt => {
  const drain = new AbortController();
  const stop = new AbortController();
  const onSignal = (): void => {
    if (drain.signal.aborted) {
      stop.abort(new Error('stopped by a second signal'));
      return;
    }
    drain.abort();
    say('finishing the episodes in flight; once more to break them off');
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    drain: drain.signal,
    stop: stop.signal,
    end: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
};
