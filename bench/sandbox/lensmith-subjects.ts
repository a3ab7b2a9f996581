import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Pool } from 'undici';
import { executionResultSchema, sessionResponseSchema } from '../../domain/sandbox.ts';
import { openSandbox } from '../../sandbox/open-sandbox.ts';
import { expectPrinted, firstCode, furtherCode, type Subject, timed } from './subject.ts';

/** Lensmith's sandbox as a library, in this process, with `prepared` sessions forked ahead. */
export const lensmithLibrary = async (python: string, name: string, prepared: number): Promise<Subject> => {
  const sandbox = await openSandbox({ python, prepared });
  return {
    name,
    slow: false,
    root: process.pid,
    close: sandbox.close,
    open: async () => {
      const started = performance.now();
      const session = await sandbox.createSession({}, { code: firstCode });
      const execute = async (code: string) => expectPrinted(name, (await session.execute({ code })).stdout);
      await execute(firstCode);
      const openMs = performance.now() - started;
      return { openMs, call: () => timed(() => execute(furtherCode)), close: session.close };
    },
  };
};

/** The same over HTTP, with the supervisor in a process of its own. */
export const lensmithHttp = async (python: string): Promise<Subject> => {
  const name = 'lensmith, HTTP';
  const server = spawn(process.execPath, [join(import.meta.dirname, 'serve.ts'), python], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [port] = (await once(createInterface({ input: server.stdout }), 'line', {
    signal: AbortSignal.timeout(60_000),
  })) as [string];
  const client = new Pool(`http://127.0.0.1:${port}`, { keepAliveTimeout: 60_000 });
  const ask = async (method: 'POST' | 'DELETE', path: string, body?: unknown): Promise<unknown> => {
    const answer = await client.request({
      path: `/v1/sessions${path}`,
      method,
      headers: { 'content-type': 'application/json' },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return text === '' ? undefined : JSON.parse(text);
  };
  return {
    name,
    slow: false,
    open: async () => {
      const started = performance.now();
      const opening = await ask('POST', '', { execution: { code: firstCode } });
      const { sessionId, result } = sessionResponseSchema.parse(opening);
      expectPrinted(name, result?.stdout ?? '');
      const execute = async (code: string) =>
        expectPrinted(
          name,
          executionResultSchema.parse(await ask('POST', `/${sessionId}/executions`, { code })).stdout,
        );
      const openMs = performance.now() - started;
      return {
        openMs,
        call: () => timed(() => execute(furtherCode)),
        close: async () => void (await ask('DELETE', `/${sessionId}`)),
      };
    },
    close: async () => {
      await client.close();
      server.stdin.end();
      await once(server, 'exit');
    },
  };
};
