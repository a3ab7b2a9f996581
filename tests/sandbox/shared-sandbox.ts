import { afterAll, beforeAll } from 'vitest';
import type { ExecutionResult, SessionOptions } from '../../domain/sandbox.ts';
import { openSandbox, type Sandbox, type SandboxOptions, type Session } from '../../sandbox/open-sandbox.ts';
import { python } from './python.ts';

/** One sandbox for the tests of a file; each test takes sessions of its own. */
export const sharedSandbox = (options: Partial<SandboxOptions> = {}) => {
  let sandbox: Sandbox | undefined;
  const get = (): Sandbox => {
    if (!sandbox) throw new Error('the sandbox is open only while tests run');
    return sandbox;
  };
  beforeAll(async () => {
    sandbox = await openSandbox({ python, ...options });
  });
  afterAll(() => sandbox?.close());

  const withSession = async <Value>(options: SessionOptions, use: (session: Session) => Promise<Value>) => {
    const session = await get().createSession(options);
    try {
      return await use(session);
    } finally {
      await session.close();
    }
  };

  return {
    get,
    withSession,
    /** The results of calls made one after the other in a session of their own. */
    run: (options: SessionOptions, ...codes: string[]): Promise<ExecutionResult[]> =>
      withSession(options, async (session) => {
        const results: ExecutionResult[] = [];
        for (const code of codes) results.push(await session.execute({ code }));
        return results;
      }),
  };
};
