import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LensmithError } from '../domain/errors.ts';
import { type SessionOptions, sessionRequestSchema } from '../domain/sandbox.ts';
import { type ForkServer, type Isolation, startForkServer } from './fork-server.ts';
import { openSession, type Session } from './session.ts';

export type { Session } from './session.ts';

export interface SandboxOptions {
  /** Python interpreter that has PIL, numpy, cv2 and matplotlib. */
  readonly python: string;
  /** `none` must be asked for: code then runs with the rights of this process. @default 'namespaces' */
  readonly isolation?: Isolation;
  /** Sessions that may be open at one time. @default 512 */
  readonly maxSessions?: number;
}

/** Runs untrusted Python. Sessions do not see each other, the network, or the host's files. */
export interface Sandbox {
  readonly isolation: Isolation;
  readonly sessions: () => number;
  /** @throws LensmithError `infrastructure` where it is full or lost, `data` for an image that does not decode. */
  readonly createSession: (options: SessionOptions) => Promise<Session>;
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

/**
 * Opens a sandbox. A fork server that dies is started again; what ran on it ends as `infrastructure`.
 *
 * @throws LensmithError `infrastructure` where the host cannot isolate, with how to allow it.
 */
export const openSandbox = async (options: SandboxOptions): Promise<Sandbox> => {
  const isolation = options.isolation ?? 'namespaces';
  const maxSessions = options.maxSessions ?? 512;
  const sessions = new Map<string, Session>();
  let opening = 0;
  let closed = false;
  let server: Promise<ForkServer> = startForkServer(options.python, isolation);
  await server;

  const liveServer = async (): Promise<ForkServer> => {
    const current = await server.catch(() => undefined);
    if (current?.alive()) return current;
    if (closed) throw new LensmithError('infrastructure', 'the sandbox is closed', { where: 'sandbox' });
    const known = server;
    await current?.close();
    // Whoever comes first starts the new one; the others find it.
    if (server === known) {
      server = startForkServer(options.python, isolation);
      server.catch(() => undefined);
    }
    return server;
  };

  const create = async (request: SessionOptions): Promise<Session> => {
    const parsed = sessionRequestSchema.parse(request);
    const id = randomUUID();
    const session = await openSession(await liveServer(), id, parsed, isolation, () => sessions.delete(id));
    sessions.set(id, session);
    return session;
  };

  return {
    isolation,
    sessions: () => sessions.size + opening,
    createSession: async (request) => {
      if (sessions.size + opening >= maxSessions) throw new SandboxFullError(maxSessions);
      opening += 1;
      try {
        return await create(request);
      } finally {
        opening -= 1;
      }
    },
    close: async () => {
      closed = true;
      await Promise.race([Promise.all([...sessions.values()].map((session) => session.close())), delay(5000)]);
      await (await server.catch(() => undefined))?.close();
    },
  };
};
