import type { HttpBindings } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import {
  type ExecutionRequest,
  type ExecutionResult,
  executionRequestSchema,
  openingRequestSchema,
  type SessionOptions,
  type SessionResponse,
} from '../domain/sandbox.ts';
import { limitBody } from '../http/limit-body.ts';
import { readBody } from '../http/read-body.ts';
import { UnknownImageError } from './kept-images.ts';
import { type Sandbox, SandboxFullError, type Session } from './open-sandbox.ts';
import { createSandboxMetrics } from './sandbox-metrics.ts';

const tooLong = limitBody(256 * 1024 * 1024);

const refuse = (context: Context, error: z.ZodError): Response =>
  context.json({ error: { type: 'data', message: z.prettifyError(error) } }, 400);

const failure = (context: Context, error: unknown): Response => {
  if (!(error instanceof LensmithError)) throw error;
  const body = { error: { type: error.type, message: error.message } };
  if (error instanceof UnknownImageError) return context.json(body, 409);
  if (error.type === 'data' || error.type === 'config') return context.json(body, 400);
  if (error instanceof SandboxFullError) return context.json(body, 429, { 'retry-after': '1' });
  return context.json(body, 503, { 'retry-after': '1' });
};

/** Whether nobody is left to read the answer. */
const hasLeft = (context: Context): boolean => {
  const { incoming }: Partial<HttpBindings> = context.env ?? {};
  return incoming?.socket.destroyed ?? false;
};

/**
 * The HTTP door of a sandbox: `POST /v1/sessions`, `POST /v1/sessions/{id}/executions`, `DELETE /v1/sessions/{id}`,
 * `GET /healthz`, `GET /metrics`.
 *
 * A body that does not fit is answered with 400 and the place, a full sandbox with 429 and Retry-After, an unknown
 * session with 404, a digest of no image that is kept with 409. A session is made once for each `sessionId`, however
 * often it is asked for; one that was asked for without, by a client that is gone at its answer, is closed.
 */
export const sandboxApi = (sandbox: Sandbox): Hono => {
  const app = new Hono();
  const metrics = createSandboxMetrics();
  const sessions = new Map<string, Promise<Session>>();
  // A call that is asked for again returns the same result, and has run once.
  const counted = new WeakSet<ExecutionResult>();

  const open = (id: string, request: SessionOptions, first: ExecutionRequest | undefined): Promise<Session> => {
    const opening = sandbox.createSession(request, first).then((session) => {
      session.onEnd(() => sessions.delete(id));
      return session;
    });
    opening.catch(() => sessions.delete(id));
    sessions.set(id, opening);
    return opening;
  };

  const execute = async (session: Session, request: ExecutionRequest): Promise<ExecutionResult> => {
    const result = await session.execute(request);
    if (!counted.has(result)) metrics.record(result.outcome, result.durationMs);
    counted.add(result);
    return result;
  };

  app.post('/v1/sessions', async (context) => {
    const refusal = await tooLong(context);
    if (refusal) return refusal;
    const { parsed } = await readBody(context, openingRequestSchema);
    if (!parsed.success) return refuse(context, parsed.error);
    const { execution, ...request } = parsed.data;
    const id = request.sessionId ?? crypto.randomUUID();
    const first = execution && { executionId: id, ...execution };
    const known = sessions.get(id);
    try {
      const session = await (known ?? open(id, request, first));
      const result = first && (await execute(session, first));
      // The name of the session is in this answer alone.
      if (request.sessionId === undefined && hasLeft(context)) await session.close();
      const answer: SessionResponse = { sessionId: id, isolation: session.isolation, ...(result ? { result } : {}) };
      return context.json(answer, known ? 200 : 201);
    } catch (error) {
      return failure(context, error);
    }
  });

  const find = async (context: Context): Promise<Session | undefined> =>
    sessions.get(context.req.param('id') ?? '')?.catch(() => undefined);

  const unknown = (context: Context): Response =>
    context.json({ error: { type: 'data', message: `no session ${context.req.param('id')}` } }, 404);

  app.post('/v1/sessions/:id/executions', async (context) => {
    const refusal = await tooLong(context);
    if (refusal) return refusal;
    const { parsed } = await readBody(context, executionRequestSchema);
    if (!parsed.success) return refuse(context, parsed.error);
    const session = await find(context);
    if (!session) return unknown(context);
    try {
      return context.json(await execute(session, parsed.data));
    } catch (error) {
      return failure(context, error);
    }
  });

  app.delete('/v1/sessions/:id', async (context) => {
    const session = await find(context);
    if (!session) return unknown(context);
    await session.close();
    return context.body(null, 204);
  });

  app.get('/healthz', (context) => context.json({ status: 'ok', isolation: sandbox.isolation }));
  app.get('/metrics', (context) => context.text(metrics.render(sandbox.sessions())));
  return app;
};
