import { randomUUID } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import { type ExecutionRequest, type Isolation, type SessionOptions, sessionRequestSchema } from '../domain/sandbox.ts';
import { type ForkServer, startForkServer, type Walls } from './fork-server.ts';
import { keepImages } from './kept-images.ts';
import { type PreparedSessions, prepareSessions } from './prepared-sessions.ts';
import { openSession, type Session } from './session.ts';
import { takeTurns } from './take-turns.ts';

export type { Session } from './session.ts';
export type { Isolation };

// Sessions that are made at one time, for each processor: more of them would only all be ready later.
const openedSideBySide = 2;
// A large image takes a while to decode, which is no reason to keep others waiting.
const openingTurnMs = 500;
// A new spare loads the libraries, which those do without who come back after a death. Where it dies by itself, or cannot
// be started, the next one comes after a rest that grows to this.
const spareRestMs = 3000;
const longestRestMs = 300_000;
// A session that is lost while it opens is opened again, at growing distance: that the fork server has died is not told at
// once. One that takes so long is not lost by a death.
const mostOpenings = 4;
const lostRestMs = 20;
const deathMs = 10_000;

export interface SandboxOptions {
  /** Python interpreter that has numpy, PIL, cv2, isal, matplotlib, scipy, skimage, sympy and pandas. */
  readonly python: string;
  /** `none` must be asked for: code then runs with the rights of this process. @default 'namespaces' */
  readonly isolation?: Isolation;
  /** Sessions that may be open at one time. @default 512 */
  readonly maxSessions?: number;
  /** Sessions forked ahead; each takes about 5 MiB. @default 4 */
  readonly prepared?: number;
  /** Keeps a second fork server loaded, which takes over at once where the first one dies. @default false */
  readonly spare?: boolean;
}

/** Runs untrusted Python. Sessions do not see each other, the network, or the host's files. */
export interface Sandbox {
  readonly isolation: Isolation;
  /** What the host's kernel gives beyond namespaces. */
  readonly walls: Walls;
  readonly sessions: () => number;
  /**
   * @param first - The call that the session's first one will be: it runs as soon as the session is open, without a way
   *   there and back in between.
   * @throws LensmithError `infrastructure` where it is full or lost, `data` for an image that does not decode.
   */
  readonly createSession: (options: SessionOptions, first?: ExecutionRequest) => Promise<Session>;
  /** Ends every session; nothing of the sandbox is left on the host. */
  readonly close: () => Promise<void>;
}

/** Thrown where as many sessions are open as may be: try again later. */
export class SandboxFullError extends LensmithError {
  constructor(maxSessions: number) {
    super('infrastructure', `the sandbox has its ${maxSessions} sessions open; try again later`, { where: 'sandbox' });
    this.name = 'SandboxFullError';
  }
}

interface Guest {
  readonly server: ForkServer;
  readonly prepared: PreparedSessions;
}

/**
 * Opens a session, and again where it is lost before it is ready, as when the fork server has just died: none of its
 * code has run then.
 */
const unlessLost = async (open: () => Promise<Session>, isClosed: () => boolean): Promise<Session> => {
  for (let tries = 1; ; tries += 1) {
    const started = performance.now();
    try {
      return await open();
    } catch (error) {
      const isLost = error instanceof LensmithError && error.type === 'infrastructure';
      if (!isLost || isClosed() || tries === mostOpenings || performance.now() - started > deathMs) throw error;
      await delay(lostRestMs * 4 ** (tries - 1));
    }
  }
};

/**
 * Opens a sandbox. A fork server that dies is started again; what ran on it ends as `infrastructure`.
 *
 * @throws LensmithError `infrastructure` where the host cannot isolate, with how to allow it.
 */
export const openSandbox = async (options: SandboxOptions): Promise<Sandbox> => {
  const isolation = options.isolation ?? 'namespaces';
  const maxSessions = options.maxSessions ?? 512;
  const sessions = new Map<string, Session>();
  const kept = keepImages();
  let opening = 0;
  let closed = false;
  const inTurn = takeTurns(openedSideBySide * availableParallelism(), openingTurnMs);
  const dying = new Set<Promise<void>>();

  const startGuest = async (): Promise<Guest> => {
    const server = await startForkServer(options.python, isolation);
    return { server, prepared: prepareSessions(server, options.prepared ?? 4) };
  };
  let hurry = new AbortController();
  const startSpare = (restMs: number): Promise<Guest | undefined> => {
    hurry = new AbortController();
    const rest = delay(restMs, undefined, { ref: false, signal: hurry.signal }).catch(() => undefined);
    const starting = rest.then(() => (options.spare && !closed ? startGuest() : undefined));
    starting.catch(() => undefined);
    return starting;
  };
  const bury = ({ server }: Guest): void => {
    const burial = server.close().catch(() => undefined);
    dying.add(burial);
    void burial.then(() => dying.delete(burial));
  };

  let guest: Promise<Guest> = startGuest();
  const { server: first } = await guest;
  let spare: Promise<Guest | undefined>;
  const keepSpare = async (restMs: number): Promise<void> => {
    const own = startSpare(restMs);
    spare = own;
    const started = performance.now();
    const dead = await own.catch(() => undefined);
    await dead?.server.exited;
    // Another one has its place, as where it has become the first.
    if (spare !== own || closed || !options.spare) return;
    if (dead) bury(dead);
    const isSteady = performance.now() - started > longestRestMs;
    void keepSpare(isSteady ? spareRestMs : Math.min(Math.max(2 * restMs, spareRestMs), longestRestMs));
  };
  void keepSpare(0);

  const liveGuest = async (): Promise<Guest> => {
    const current = await guest.catch(() => undefined);
    if (current?.server.alive()) return current;
    if (closed) throw new LensmithError('infrastructure', 'the sandbox is closed', { where: 'sandbox' });
    const known = guest;
    hurry.abort();
    const waiting = await spare.catch(() => undefined);
    // Whoever comes first takes the spare, or starts a new one; the others find it.
    if (guest !== known) return liveGuest();
    if (current) bury(current);
    if (waiting && !waiting.server.alive()) bury(waiting);
    guest = waiting?.server.alive() ? Promise.resolve(waiting) : startGuest();
    guest.catch(() => undefined);
    void keepSpare(spareRestMs);
    return guest;
  };

  const create = async (request: SessionOptions, first: ExecutionRequest | undefined): Promise<Session> => {
    const parsed = sessionRequestSchema.parse(request);
    const id = randomUUID();
    const open = () =>
      inTurn(async () => {
        const { server, prepared } = await liveGuest();
        return openSession(server, prepared, kept, id, parsed, isolation, () => sessions.delete(id), first);
      });
    const session = await unlessLost(open, () => closed);
    sessions.set(id, session);
    return session;
  };

  return {
    isolation,
    walls: first.walls,
    sessions: () => sessions.size + opening,
    createSession: async (request, first) => {
      if (sessions.size + opening >= maxSessions) throw new SandboxFullError(maxSessions);
      opening += 1;
      try {
        return await create(request, first);
      } finally {
        opening -= 1;
      }
    },
    close: async () => {
      closed = true;
      await Promise.race([
        Promise.all([...sessions.values()].map((session) => session.close())),
        delay(5000, undefined, { ref: false }),
      ]);
      hurry.abort();
      for (const starting of [guest, spare]) await (await starting.catch(() => undefined))?.server.close();
      await Promise.all(dying);
    },
  };
};
