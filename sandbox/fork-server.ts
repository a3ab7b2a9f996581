import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import type { Isolation } from '../domain/sandbox.ts';
import { createDirectLine, type DirectLine } from './direct-line.ts';
import { type GuestMessage, readFrames } from './frames.ts';
import { guestEnvironment } from './guest-environment.ts';
import { folderPrefix, sweepFolders } from './sweep-folders.ts';

const guest = fileURLToPath(new URL('guest/main.py', import.meta.url));
const startMs = 60_000;
const connectMs = 60_000;

const readySchema = z.union([
  z.object({ ready: z.literal(true), seccomp: z.boolean(), landlock: z.int() }),
  z.object({ ready: z.literal(false), wants: z.enum(['isolation', 'libraries']), message: z.string() }),
]);
const newsSchema = z.union([
  z.object({ failed: z.string(), message: z.string() }),
  z.object({ ending: z.literal(true) }),
]);
const helloSchema = z.union([
  z.object({ session: z.string(), hasLine: z.boolean() }),
  z.object({ lineOf: z.string() }),
]);

/** A session of the guest that has connected; its messages go to `onMessage`, its end to `onClose`. */
export interface GuestConnection {
  readonly socket: Socket;
  /** To the interpreter; none without isolation. */
  readonly line: DirectLine | undefined;
  onMessage: (message: GuestMessage) => void;
  onClose: () => void;
}

/** A session whose line may not have greeted yet. */
interface HalfConnection extends GuestConnection {
  line: DirectLine | undefined;
  hasLine: boolean;
}

interface Half {
  readonly connection?: HalfConnection | undefined;
  readonly line?: DirectLine | undefined;
}

interface Waiting {
  readonly resolve: (connection: GuestConnection) => void;
  readonly reject: (error: LensmithError) => void;
}

/** What the kernel gives beyond namespaces. */
export interface Walls {
  readonly seccomp: boolean;
  /** Version of the kernel's Landlock interface; 0 without. */
  readonly landlock: number;
}

/** A running fork server of the guest. */
export interface ForkServer {
  readonly walls: Walls;
  readonly alive: () => boolean;
  /** Resolves once its process has ended. */
  readonly exited: Promise<void>;
  /**
   * Forks a session and waits for its connection. One that is `awaited` connects as soon as it takes its configuration,
   * any other once its first call need not wait for anything.
   */
  readonly open: (session: string, awaited: boolean) => Promise<GuestConnection>;
  readonly kill: (session: string) => void;
  readonly close: () => Promise<void>;
}

const unavailable = (message: string, cause?: unknown): LensmithError =>
  new LensmithError('infrastructure', message, { where: 'sandbox', cause });

const refused = (reason: string): LensmithError =>
  new LensmithError(
    'infrastructure',
    `this host does not let the sandbox isolate code (${reason}). Allow user namespaces (sysctl ` +
      'kernel.unprivileged_userns_clone=1, or kernel.apparmor_restrict_unprivileged_userns=0, or in a container ' +
      '--security-opt seccomp=unconfined --security-opt systempaths=unconfined), or go without: isolation none',
    { where: 'sandbox' },
  );

const incomplete = (python: string, reason: string): LensmithError =>
  new LensmithError(
    'config',
    `expected a Python with numpy, PIL, cv2, isal, matplotlib, scipy, skimage, sympy and pandas: ${reason}. Install numpy, ` +
      'pillow, opencv-python-headless, isal, matplotlib, scipy, scikit-image, sympy and pandas for it, or name another interpreter',
    { where: python },
  );

const unusable = (cause: unknown): LensmithError =>
  unavailable(
    'expected a folder for temporary files that can be written, and whose path leaves a socket room; set TMPDIR to ' +
      `another one: ${String(cause)}`,
    cause,
  );

/** A folder of its own in that of temporary files, which is gone with this process at the latest. */
const makeFolder = () => {
  let folder: string;
  try {
    folder = mkdtempSync(join(tmpdir(), folderPrefix));
  } catch (cause) {
    throw unusable(cause);
  }
  const removeAtExit = (): void => rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', removeAtExit);
  return {
    folder,
    remove: async (): Promise<void> => {
      await rm(folder, { recursive: true, force: true });
      process.off('exit', removeAtExit);
    },
  };
};

const firstLine = async (child: ChildProcess, lines: Interface): Promise<string> => {
  const ended = once(child, 'exit').then(([code]) => {
    throw unavailable(`the guest ended with ${String(code)} before it was ready`);
  });
  ended.catch(() => undefined);
  const failed = once(child, 'error').then(([error]) => {
    throw unavailable(`the guest cannot be started: ${String(error)}`, error);
  });
  failed.catch(() => undefined);
  const [line] = (await Promise.race([
    once(lines, 'line', { signal: AbortSignal.timeout(startMs) }),
    ended,
    failed,
  ])) as [string];
  return line;
};

/**
 * Starts a fork server of the guest: a Python process that has imported the imaging libraries and forks a session for
 * each request.
 *
 * @throws LensmithError `infrastructure` where it cannot start, or the host cannot isolate.
 */
export const startForkServer = async (python: string, isolation: Isolation): Promise<ForkServer> => {
  await sweepFolders(tmpdir());
  const { folder, remove } = makeFolder();
  const meeting = join(folder, 'meeting');
  const scratch = join(folder, 'scratch');
  const waiting = new Map<string, Waiting>();
  const open = new Set<Socket>();
  // Of sessions of which one of two sockets has greeted.
  const halves = new Map<string, Half>();

  const meet = (session: string, half: Half): void => {
    const { connection, line } = { ...halves.get(session), ...half };
    const expected = waiting.get(session);
    if (!expected) {
      connection?.socket.destroy();
      line?.close();
    } else if (connection && (line || !connection.hasLine)) {
      connection.line = line;
      expected.resolve(connection);
    } else halves.set(session, { connection, line });
  };

  const server: Server = createServer((socket) => {
    open.add(socket);
    const half: HalfConnection = {
      ...{ socket, line: undefined, hasLine: false },
      onMessage: () => undefined,
      onClose: () => undefined,
    };
    const greet = ({ content }: GuestMessage): void => {
      const hello = helloSchema.safeParse(content);
      if (!hello.success) socket.destroy();
      else if ('lineOf' in hello.data) {
        const line = createDirectLine(socket, reader);
        receive = line.onMessage;
        meet(hello.data.lineOf, { line });
      } else {
        receive = (message) => half.onMessage(message);
        half.hasLine = hello.data.hasLine;
        meet(hello.data.session, { connection: half });
      }
    };
    let receive = greet;
    const reader = readFrames(socket, (message) => receive(message));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      open.delete(socket);
      half.line?.close();
      half.onClose();
    });
  });
  try {
    await mkdir(meeting, { mode: 0o700 });
    await mkdir(scratch, { mode: 0o700 });
    server.listen(join(meeting, 'sessions.sock'));
    await once(server, 'listening');
    await chmod(join(meeting, 'sessions.sock'), 0o600);
  } catch (cause) {
    server.close();
    await remove();
    throw unusable(cause);
  }

  const child = spawn(python, ['-E', '-s', '-B', '-u', guest, isolation, scratch, meeting], {
    stdio: ['pipe', 'pipe', 'inherit'],
    // A Ctrl-C in a terminal is for the supervisor, which may still have calls to finish.
    detached: true,
    env: guestEnvironment(isolation, scratch),
  });
  child.stdin?.on('error', () => undefined);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  let ended = false;
  void exited.then(() => {
    ended = true;
    for (const socket of open) socket.destroy();
  });

  const close = async (): Promise<void> => {
    child.stdin?.end();
    const inTime = AbortSignal.timeout(5000);
    await Promise.race([exited, once(inTime, 'abort')]);
    if (!ended) child.kill('SIGKILL');
    if (child.pid !== undefined) await exited;
    for (const socket of open) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
    await remove();
  };

  const lines = createInterface({ input: child.stdout });
  let walls: Walls;
  try {
    const ready = readySchema.parse(JSON.parse(await firstLine(child, lines)));
    if (!ready.ready) {
      throw ready.wants === 'isolation' ? refused(ready.message) : incomplete(python, ready.message);
    }
    walls = { seccomp: ready.seccomp, landlock: ready.landlock };
  } catch (error) {
    await close();
    throw error instanceof LensmithError ? error : unavailable(`the guest did not start: ${String(error)}`, error);
  }

  let ending = false;
  const refuseAll = (): void => {
    for (const { reject } of waiting.values()) reject(unavailable('the guest ended'));
  };
  void exited.then(refuseAll);
  lines.on('line', (line) => {
    const news = newsSchema.safeParse(JSON.parse(line));
    if (!news.success) return;
    if ('ending' in news.data) {
      ending = true;
      refuseAll();
    } else {
      waiting.get(news.data.failed)?.reject(unavailable(`a session cannot be started: ${news.data.message}`));
    }
  });

  const send = (request: Record<string, string | boolean>): void => {
    child.stdin?.write(`${JSON.stringify(request)}\n`);
  };

  return {
    walls,
    alive: () => !ended && !ending,
    exited,
    kill: (session) => send({ kill: session }),
    close,
    open: async (session, awaited) => {
      let cancel: () => void = () => undefined;
      try {
        return await new Promise<GuestConnection>((resolve, reject) => {
          const timer = setTimeout(
            () => reject(unavailable(`a session did not start within ${connectMs} ms`)),
            connectMs,
          );
          cancel = () => clearTimeout(timer);
          waiting.set(session, { resolve, reject });
          if (ended || ending) reject(unavailable('the guest ended'));
          else send({ open: session, awaited });
        });
      } catch (error) {
        send({ kill: session });
        throw error;
      } finally {
        cancel();
        waiting.delete(session);
        halves.delete(session);
      }
    },
  };
};
