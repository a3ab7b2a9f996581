import type { Protocol } from '../domain/protocol.ts';
import type { ExecutionRequest, ExecutionResult, SessionOptions } from '../domain/sandbox.ts';

/** What an episode needs of a session of the sandbox. */
export interface CodeSession {
  execute(request: ExecutionRequest): Promise<ExecutionResult>;
  close(): Promise<void>;
}

/** What an episode needs of the sandbox. */
export interface CodeSandbox {
  /** The bytes of the images are the sandbox's until it has answered, and others' after that. */
  createSession(options: SessionOptions): Promise<CodeSession>;
}

/** Options of the session that a protocol asks for. The parts of an image call share one session, which keeps them. */
export const sessionOptions = (protocol: Protocol, images: readonly Buffer<ArrayBuffer>[]): SessionOptions => {
  const { turns: _, ...limits } = protocol.limits;
  return {
    images: images.map((bytes) => ({ bytes })),
    variables: protocol.variables,
    state: protocol.imageCall ? 'stateful' : protocol.state,
    // A turn takes long beside a call, and most episodes make one: what counts is the number of sessions.
    rollback: 'when_needed',
    limits,
  };
};

const ran = ({ outcome }: ExecutionResult): boolean => outcome === 'ok' || outcome === 'no_output';

/**
 * Runs one call in a session. An image call is three executions, what comes before the code, the code as the model
 * wrote it, and what takes the image from its variables; its result is that of the code with the image added.
 */
export const executeCall = async (
  session: CodeSession,
  { imageCall, limits }: Protocol,
  code: string,
): Promise<ExecutionResult> => {
  if (!imageCall) return session.execute({ code });
  const before = await session.execute({ code: imageCall.before });
  if (!ran(before)) return before;
  const result = await session.execute({ code });
  if (!ran(result)) return result;
  const after = await session.execute({ code: imageCall.after });
  if (!ran(after)) return after;
  const shown = new Set(result.images.map(({ digest }) => digest));
  const added = after.images.filter(({ digest }) => !shown.has(digest));
  const images = [...result.images, ...added].slice(0, limits.imagesPerCall);
  return { ...result, outcome: images.length || result.stdout ? 'ok' : 'no_output', images };
};
