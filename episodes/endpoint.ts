import { LensmithError } from '../domain/errors.ts';
import type { ConcurrencyLimit } from './concurrency-limit.ts';
import type { EndpointStatus } from './model-types.ts';
import { PlaceQueue } from './place-queue.ts';

/** Looks at a server: does it answer, and is it the model's? Rejects as `servedModel`. */
export type CheckServer = () => Promise<{
  /** Whether it keeps images by their ids. */
  readonly keepsMedia: boolean;
  /** Whether it is a vLLM server, which tells its queue. */
  readonly tellsQueue: boolean;
}>;

export interface EndpointOptions {
  readonly url: string;
  readonly check: CheckServer;
  readonly limit: ConcurrencyLimit;
  /** Time of the first ejection, milliseconds; doubled each time, up to 30 s. */
  readonly ejectionMs: number;
  /** Called once, the first time that it is left out or refuses what another one takes. */
  readonly onNote?: (note: string) => void;
}

/** Failures in a row after which a server is ejected although it can be reached. */
const failuresToEject = 3;
/** Refusals of an image's id in a row after which a server is sent images in full. */
const missesToStop = 3;
const longestEjectionMs = 30_000;

/**
 * One server and what is known of it. It is looked at before its first request; ejected when it is away or fails three
 * times in a row; looked at again after a while (half-open), and then ejected by its next failure for twice as long. A
 * server of another model, or one that refuses the key, is never used.
 */
export class Endpoint {
  readonly url: string;
  readonly limit: ConcurrencyLimit;
  /** Episodes that hold it. */
  episodes = 0;
  readonly #check: CheckServer;
  readonly #firstEjectionMs: number;
  #state: EndpointStatus['state'] = 'unchecked';
  #refusal: LensmithError | undefined;
  #reason: string | null = null;
  #failures = 0;
  #ejectionMs: number;
  #ejectedUntil = 0;
  #checking: Promise<void> | undefined;
  #keepsMedia = false;
  #tellsQueue = false;
  #misses = 0;
  readonly #places: PlaceQueue;
  #onNote: EndpointOptions['onNote'];

  constructor({ url, check, limit, ejectionMs, onNote }: EndpointOptions) {
    this.url = url;
    this.limit = limit;
    this.#places = new PlaceQueue(limit);
    this.#check = check;
    this.#firstEjectionMs = ejectionMs;
    this.#ejectionMs = ejectionMs;
    this.#onNote = onNote;
  }

  get isUp(): boolean {
    return this.#state === 'up';
  }

  /** Whether the server asked for a pause that is not over. */
  get isHeld(): boolean {
    return this.#places.isHeld;
  }

  get refusal(): LensmithError | undefined {
    return this.#refusal;
  }

  get reason(): string | null {
    return this.#reason;
  }

  /** Whether the server keeps images by their ids. */
  get keepsMedia(): boolean {
    return this.#keepsMedia;
  }

  get tellsQueue(): boolean {
    return this.#tellsQueue;
  }

  /** `performance.now()` from which a look at it is due; infinite where none is. */
  get dueAt(): number {
    if (this.#state === 'unchecked') return 0;
    return this.#state === 'ejected' ? this.#ejectedUntil : Number.POSITIVE_INFINITY;
  }

  /** Looks at the server; several callers share one look. Never rejects. */
  look(): Promise<void> {
    this.#checking ??= this.#look().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /** Says that the server may no longer be the model's: it is looked at before it is used again. */
  doubt(reason: string): void {
    if (this.#state !== 'up') return;
    this.#state = 'unchecked';
    this.#reason = reason;
    this.#places.wakeAll();
  }

  succeeded(): void {
    this.#failures = 0;
    this.#ejectionMs = this.#firstEjectionMs;
  }

  /** @param away - Whether the server could not be reached at all. */
  failed(away: boolean, reason: string): void {
    this.#failures += 1;
    if (this.#state === 'up' && (away || this.#failures >= failuresToEject)) this.#eject(reason);
  }

  /** The server refused a turn that another one has answered. */
  refused(reason: string): void {
    this.#tell(reason);
  }

  /** The server turned a request away: for `waitMs` it is sent nothing. */
  hold(waitMs: number): void {
    this.#places.hold(waitMs);
  }

  mediaKept(): void {
    this.#misses = 0;
  }

  mediaRefused(): void {
    this.#misses += 1;
    if (this.#misses >= missesToStop) this.#keepsMedia = false;
  }

  /**
   * Waits for a place in flight, first come, first served.
   *
   * @returns Whether there is one; false where the endpoint is not up any more, or the time is over.
   */
  enter(deadline: number, signal: AbortSignal): Promise<boolean> {
    return this.#places.enter(() => this.isUp, deadline, signal);
  }

  /** A place in flight is free again. */
  leave(): void {
    this.#places.wake();
  }

  status(): EndpointStatus {
    return {
      url: this.url,
      state: this.#state,
      episodes: this.episodes,
      requests: this.limit.inFlight,
      limit: this.limit.limit,
      reason: this.#reason,
    };
  }

  async #look(): Promise<void> {
    const first = this.#state === 'unchecked';
    try {
      const { keepsMedia, tellsQueue } = await this.#check();
      this.#state = 'up';
      this.#reason = null;
      this.#keepsMedia = keepsMedia;
      this.#tellsQueue = tellsQueue;
      this.#failures = first ? 0 : failuresToEject - 1;
    } catch (error) {
      const failure = error instanceof LensmithError ? error : new LensmithError('infrastructure', String(error));
      if (failure.type === 'infrastructure') this.#eject(failure.message);
      else {
        this.#state = 'refused';
        this.#refusal = failure;
        this.#reason = failure.message;
        this.#places.wakeAll();
        this.#tell(failure.message);
      }
    }
  }

  #eject(reason: string): void {
    this.#state = 'ejected';
    this.#reason = reason;
    this.#ejectedUntil = performance.now() + this.#ejectionMs;
    this.#ejectionMs = Math.min(2 * this.#ejectionMs, longestEjectionMs);
    this.#places.wakeAll();
    this.#tell(reason);
  }

  #tell(reason: string): void {
    this.#onNote?.(`${this.url} is left out as long as it fails, other servers of the model do its work: ${reason}`);
    this.#onNote = undefined;
  }
}
