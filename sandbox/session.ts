import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import type { CallOutcome, ExecutionRequest, ExecutionResult, Isolation, SessionRequest } from '../domain/sandbox.ts';
import { createAlarm } from './alarm.ts';
import type { DirectLine } from './direct-line.ts';
import type { ForkServer } from './fork-server.ts';
import type { GuestMessage } from './frames.ts';
import { createGuestExchange } from './guest-exchange.ts';
import type { KeptImages } from './kept-images.ts';
import type { PreparedSessions } from './prepared-sessions.ts';
import { readDirectResult, readResult } from './read-result.ts';

/** The guest ends a call at its limit; past this it is taken for lost, and killed with all that it started. */
const graceMs = 8000;
const readyMs = 30_000;
/** What an interpreter has told is there when the guest says so, but may still have to be read. */
const lateMs = 1000;

const readySchema = z.object({ ready: z.boolean(), message: z.string().default('') });

/** A session of model code: calls share state as its request says, and one call runs at a time. */
export interface Session {
  readonly id: string;
  readonly isolation: Isolation;
  /**
   * Never throws for what the code does; `infrastructure` says that the sandbox was lost, and nothing of the code. The
   * last call's `executionId` again returns its result.
   *
   * @throws LensmithError `config` where the session was opened with another first call, or the last call had this
   * `executionId` and other code.
   */
  readonly execute: (request: ExecutionRequest) => Promise<ExecutionResult>;
  readonly close: () => Promise<void>;
  /** Calls `listener` once the session has ended, for whatever reason. */
  readonly onEnd: (listener: () => void) => void;
}

const failed =
  (outcome: CallOutcome, type: string) =>
  (message: string, isolation: Isolation, durationMs: number): ExecutionResult => ({
    outcome,
    stdout: '',
    stderr: '',
    images: [],
    error: { type, message, line: null, traceback: '' },
    durationMs,
    isolation,
  });
const lost = failed('infrastructure', 'SandboxLost');
const tampered = failed('policy', 'Tampering');

const another = (id: string): LensmithError =>
  new LensmithError('config', 'expected the call that the session was opened with as its first one', { where: id });

const taken = (id: string, executionId: string): LensmithError =>
  new LensmithError(
    'config',
    `the executionId "${executionId}" belongs to the call before, which had other code or another time; take a new one`,
    { where: id },
  );

const isSame = (one: ExecutionRequest | undefined, other: ExecutionRequest): boolean =>
  one?.code === other.code && one.seconds === other.seconds;

/**
 * Opens a session on a fork server. Its `first` call travels with the request, and runs as soon as it is open.
 *
 * @throws LensmithError `data` for an image that is not kept or does not decode, `infrastructure` where the guest is lost.
 */
export const openSession = async (
  server: ForkServer,
  prepared: PreparedSessions,
  kept: KeptImages,
  id: string,
  request: SessionRequest,
  isolation: Isolation,
  onEnd: () => void,
  first?: ExecutionRequest,
): Promise<Session> => {
  const contents = await Promise.all(request.images.map(kept.bytesOf));
  const guest = await prepared.take();
  let running = false;
  const idle = createAlarm(() => {
    if (!running) void close();
  });
  const lifetime = createAlarm(() => void close());
  const listeners = [onEnd, idle.stop, lifetime.stop];
  let givenBack = false;
  let isSound = true;
  const exchange = createGuestExchange(guest.connection, () => {
    if (!givenBack) server.kill(guest.id);
    for (const listener of listeners) listener();
  });
  const end = (): void => {
    if (givenBack) return;
    exchange.close();
    guest.connection.line?.close();
    guest.connection.socket.destroy();
  };

  const { variables, limits, state, rollback } = request;
  const images = request.images.map(({ name }) => ({ name }));
  const limitOf = ({ seconds }: ExecutionRequest): number =>
    Math.min(seconds ?? limits.callSeconds, limits.callSeconds);
  const call = first && { code: first.code, seconds: limitOf(first) };
  const config = { images, variables, limits, state, rollback, ...(call ? { call } : {}) };
  const opening = exchange.open(config, readyMs, contents);
  const firstReply = first && exchange.firstResult(limitOf(first) * 1000 + graceMs);
  const answer = readySchema.safeParse((await opening)?.content);
  if (!answer.success || !answer.data.ready) {
    end();
    throw answer.success
      ? new LensmithError('data', `expected an image that decodes: ${answer.data.message}`, { where: 'images' })
      : new LensmithError('infrastructure', 'the sandbox session was lost before it was ready', { where: id });
  }

  lifetime.set(request.totalSeconds * 1000);
  const touch = (): void => {
    running = false;
    idle.set(request.idleSeconds * 1000);
  };

  const received = (reply: GuestMessage | undefined, durationMs: number): ExecutionResult => {
    const result = reply && readResult(reply);
    if (result && result.images.length <= limits.imagesPerCall) {
      touch();
      return { ...result, isolation };
    }
    end();
    return lost(
      reply === undefined ? 'the session ended, or did not answer in time' : 'the session sent what is no result',
      isolation,
      durationMs,
    );
  };

  const resultOf = async (replying: Promise<GuestMessage | undefined>): Promise<ExecutionResult> => {
    running = true;
    const started = performance.now();
    const reply = await replying;
    return received(reply, performance.now() - started);
  };

  /** A call that goes to the interpreter itself, which waits for it; the session's first process follows it. */
  const runStraight = async (line: DirectLine, code: string, seconds: number): Promise<ExecutionResult> => {
    running = true;
    const started = performance.now();
    const told = (message: GuestMessage | undefined): ExecutionResult | undefined => {
      const result = message && readDirectResult(message, limits.outputCharacters);
      if (!result) return undefined;
      touch();
      return { ...result, durationMs: performance.now() - started, isolation };
    };
    const answer = line.ask({ code, seconds });
    const following = exchange.follow(seconds, seconds * 1000 + graceMs);
    const quick = told(await Promise.race([answer, following.then(() => undefined)]));
    if (quick) {
      // Another result would be that of an interpreter that was lost as it had just answered: its state is gone.
      void following.then((followed) => followed === 'settled' || end());
      return quick;
    }
    const followed = await following;
    if (followed !== 'settled') {
      line.close();
      return received(followed, performance.now() - started);
    }
    const late = told(await Promise.race([answer, delay(lateMs, undefined, { ref: false })]));
    if (late) return late;
    line.close();
    isSound = false;
    touch();
    return tampered('the code changed what its interpreter reports', isolation, performance.now() - started);
  };

  const run = (call: ExecutionRequest): Promise<ExecutionResult> => {
    const { code } = call;
    const seconds = limitOf(call);
    const { line } = guest.connection;
    if (line?.takes(code) && exchange.isSettled()) return runStraight(line, code, seconds);
    return resultOf(exchange.call({ code, seconds }, seconds * 1000 + graceMs));
  };

  let lastCall: ExecutionRequest | undefined;
  const close = async (): Promise<void> => {
    if (running || !isSound) end();
    if (exchange.closed()) return;
    givenBack = true;
    exchange.close();
    prepared.giveBack(guest);
  };

  const repeated = async (): Promise<ExecutionResult> =>
    (await last) ?? lost('the call has no result to repeat', isolation, 0);

  touch();
  // Of the call that came with the opening, until it is asked for.
  let announced = firstReply && resultOf(firstReply);
  let last: Promise<ExecutionResult | undefined> = announced ?? Promise.resolve(undefined);

  return {
    id,
    isolation,
    close,
    onEnd: (listener) => {
      if (exchange.closed()) listener();
      else listeners.push(listener);
    },
    execute: (call) => {
      if (call.executionId !== undefined && call.executionId === lastCall?.executionId)
        return isSame(lastCall, call) ? repeated() : Promise.reject(taken(id, call.executionId));
      if (announced && !isSame(first, call)) return Promise.reject(another(id));
      const next = announced ?? last.then(() => run(call));
      announced = undefined;
      last = next;
      lastCall = call;
      return next;
    },
  };
};
