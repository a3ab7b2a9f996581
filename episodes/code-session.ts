import type { Protocol } from '../domain/protocol.ts';
import type { ExecutionRequest, ExecutionResult, SessionOptions } from '../domain/sandbox.ts';

/** What an episode needs of a session of the sandbox. */
export interface CodeSession {
  execute(request: ExecutionRequest): Promise<ExecutionResult>;
  close(): Promise<void>;
}

/** What an episode needs of the sandbox. */
export interface CodeSandbox {
  /**
   * The bytes of the images are the sandbox's until it has answered, and others' after that.
   *
   * @param first - What the first call of the session will be, which may run before it is asked for.
   */
  createSession(options: SessionOptions, first?: ExecutionRequest): Promise<CodeSession>;
}

/** Options of the session that a protocol asks for. The parts of an image call share one session, which keeps them. */
export const sessionOptions = (protocol: Protocol, images: readonly Buffer[]): SessionOptions => {
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

/** The code that a call of a session begins with. */
export const firstCode = ({ imageCall }: Protocol, code: string): string => imageCall?.before ?? code;

/**
 * Runs one call in a session. An image call is three executions, what comes before the code, the code as the model
 * wrote it, and what takes the image from its variables; its result is that of the code with the image added.
 */
export const executeCall = async (session: CodeSession, protocol: Protocol, code: string): Promise<ExecutionResult> => {
  const { imageCall, limits } = protocol;
  const first = await session.execute({ code: firstCode(protocol, code) });
  if (!imageCall || !ran(first)) return first;
  const result = await session.execute({ code });
  if (!ran(result)) return result;
  const after = await session.execute({ code: imageCall.after });
  if (!ran(after)) return after;
  const shown = new Set(result.images.map(({ digest }) => digest));
  const added = after.images.filter(({ digest }) => !shown.has(digest));
  const images = [...result.images, ...added].slice(0, limits.imagesPerCall);
  return { ...result, outcome: images.length || result.stdout ? 'ok' : 'no_output', images };
};
