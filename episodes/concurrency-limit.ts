/** What a request that ended says about its server's load. */
export interface LoadSample {
  readonly durationMs: number;
  /** Tokens that were generated; 0 where the server does not say. */
  readonly tokens: number;
}

export interface ConcurrencyLimitOptions {
  /** @default 32 */
  readonly start?: number;
  /** @default 4 */
  readonly least?: number;
  /** @default 1024 */
  readonly most?: number;
}

/** A token may take this much longer than with an idle server before that counts as congestion. */
const tolerance = 2;

interface Window {
  readonly startedAt: number;
  count: number;
  work: number;
  durationMs: number;
  peak: number;
}

/**
 * How many requests a server is given at once, found by additive increase and multiplicative decrease.
 *
 * A window of completed requests is congested where a token takes more than twice the time of the best window seen and
 * the server gives no more tokens a second for it: batching makes tokens slower and the server faster, queueing only
 * the former. The limit doubles each window until the first congestion, then grows by a twentieth; it shrinks by 15 % on
 * congestion, by 30 % where the server turns requests away, and by half its queue where the server tells that.
 */
export class ConcurrencyLimit {
  readonly #least: number;
  readonly #most: number;
  #limit: number;
  #inFlight = 0;
  #ramping = true;
  #baseline = Number.POSITIVE_INFINITY;
  #bestRate = 0;
  #window: Window | undefined;
  #beforeCut = 0;
  #lastCut = Number.NEGATIVE_INFINITY;
  #meanMs = 0;
  #queued = 0;

  constructor({ start = 32, least = 4, most = 1024 }: ConcurrencyLimitOptions = {}) {
    this.#most = most;
    this.#least = Math.min(least, most);
    this.#limit = Math.min(start, most);
  }

  get limit(): number {
    return Math.floor(this.#limit);
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get isOpen(): boolean {
    return this.#inFlight < this.limit;
  }

  /** Mean duration of the last requests, milliseconds; 0 before the first. */
  get meanMs(): number {
    return this.#meanMs;
  }

  started(): void {
    this.#inFlight += 1;
    if (this.#window) this.#window.peak = Math.max(this.#window.peak, this.#inFlight);
  }

  /** @param now - Milliseconds of a clock that never goes back. */
  completed({ durationMs, tokens }: LoadSample, now: number): void {
    this.#window ??= { startedAt: now - durationMs, count: 0, work: 0, durationMs: 0, peak: this.#inFlight };
    this.#inFlight -= 1;
    this.#meanMs = this.#meanMs ? 0.8 * this.#meanMs + 0.2 * durationMs : durationMs;
    const window = this.#window;
    window.count += 1;
    window.work += Math.max(1, tokens);
    window.durationMs += durationMs;
    if (window.count < Math.max(16, this.limit)) return;
    this.#window = undefined;
    this.#judge(window, now);
  }

  /** A request that ended without an answer. */
  failed(): void {
    this.#inFlight -= 1;
  }

  /** The server turned a request away. Those of one burst count once. */
  throttled(now: number): void {
    this.#inFlight -= 1;
    this.#cut(0.7 * this.#limit, now);
  }

  /** @param waiting - Requests that wait in the server's queue, as it says itself. */
  queueIs(waiting: number, now: number): void {
    this.#queued = waiting;
    if (waiting > Math.max(4, this.#limit / 4)) this.#cut(this.#limit - waiting / 2, now);
  }

  #judge({ startedAt, work, durationMs, peak }: Window, now: number): void {
    const cost = durationMs / work;
    const rate = work / Math.max(1, now - startedAt);
    const congested = cost > tolerance * this.#baseline && rate <= 1.05 * this.#bestRate;
    // Both forget, so that a server or a load that became another one is measured anew.
    this.#baseline = Math.min(this.#baseline * 1.0005, cost);
    const best = this.#bestRate * 0.95;
    this.#bestRate = Math.max(best, rate);
    if (congested && rate >= 0.9 * best) {
      this.#beforeCut = this.#limit;
      this.#cut(0.85 * this.#limit, now);
      return;
    }
    // A limit that nobody reaches says nothing, and neither does one behind which the server queues already.
    if (peak < 0.9 * this.limit || this.#queued > 0) return;
    const grown = this.#ramping ? 2 * this.#limit : this.#limit + Math.max(1, this.#limit / 20);
    // A congested server that gives less than before gets back what the last cut took, and no more.
    const most = congested ? Math.max(this.#limit, this.#beforeCut) : this.#most;
    this.#limit = Math.min(this.#most, most, grown);
  }

  #cut(to: number, now: number): void {
    if (now - this.#lastCut < Math.max(100, this.#meanMs)) return;
    this.#lastCut = now;
    this.#ramping = false;
    this.#limit = Math.max(this.#least, to);
  }
}
