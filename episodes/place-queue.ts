import type { ConcurrencyLimit } from './concurrency-limit.ts';

/** Those who wait for a place in flight at one endpoint; first come, first served. */
export class PlaceQueue {
  readonly #limit: ConcurrencyLimit;
  readonly #waiting: (() => void)[] = [];
  #heldUntil = 0;

  constructor(limit: ConcurrencyLimit) {
    this.#limit = limit;
  }

  /** Whether a pause is not over. */
  get isHeld(): boolean {
    return performance.now() < this.#heldUntil;
  }

  /** Gives no place for `waitMs`. */
  hold(waitMs: number): void {
    this.#heldUntil = Math.max(this.#heldUntil, performance.now() + waitMs);
  }

  /**
   * Waits for a place and takes it.
   *
   * @param isUp - Whether it is still worth waiting.
   * @param deadline - `performance.now()` up to which it is waited.
   * @returns Whether there is one.
   */
  async enter(isUp: () => boolean, deadline: number, signal: AbortSignal): Promise<boolean> {
    let queued = false;
    while (isUp() && !signal.aborted && performance.now() < deadline) {
      const held = this.#heldUntil - performance.now();
      // Who comes new stands behind those who wait.
      if (held <= 0 && this.#limit.isOpen && (queued || this.#waiting.length === 0)) {
        this.#limit.started();
        return true;
      }
      queued = true;
      await this.#turn(Math.min(deadline - performance.now(), held > 0 ? held : Number.POSITIVE_INFINITY), signal);
    }
    // The place that this caller was woken for goes to the next one.
    this.wake();
    return false;
  }

  /** Wakes as many as there are places, one at least. */
  wake(): void {
    const free = Math.max(1, this.#limit.limit - this.#limit.inFlight);
    for (const wake of this.#waiting.splice(0, free)) wake();
  }

  /** Wakes all, because the endpoint is not up any more. */
  wakeAll(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #turn(waitMs: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const wake = (): void => resolve();
    const timer = Number.isFinite(waitMs) ? setTimeout(wake, Math.max(1, Math.ceil(waitMs))) : undefined;
    this.#waiting.push(wake);
    signal.addEventListener('abort', wake, { once: true });
    await promise;
    clearTimeout(timer);
    signal.removeEventListener('abort', wake);
    const at = this.#waiting.indexOf(wake);
    if (at >= 0) this.#waiting.splice(at, 1);
  }
}
