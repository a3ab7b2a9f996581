import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CallOutcome, callOutcomes, executionResultSchema, type SessionOptions } from '../../domain/sandbox.ts';
import { listen } from '../../sandbox/listen.ts';
import { sandboxApi } from '../../sandbox/sandbox-api.ts';
import { sharedSandbox } from './shared-sandbox.ts';

const { get, withSession } = sharedSandbox();
const options: SessionOptions = { limits: { callSeconds: 2, memoryMib: 128, outputCharacters: 500 } };
const allowed: readonly CallOutcome[] = callOutcomes.filter((outcome) => outcome !== 'infrastructure');

const words = fc.constantFrom(...'x = ( ) : print lambda " 1 0 / def [ ] \\ None'.split(' '), '\n', '    ');
const bytes = fc.uint8Array({ maxLength: 300 });
const statements = fc.constantFrom(
  'import os\nos._exit(1)',
  'raise SystemExit',
  '1 / 0',
  'x = [0] * 10 ** 9',
  'display(x)',
  'x = Image.new("RGB", (9, 9))',
  'import os\nos.fork()',
  'print("\\ud800")',
  'import sys\nsys.stdout.close()',
  'del __builtins__',
  'import signal\nsignal.alarm(1)',
  'import threading, time\nthreading.Thread(target=time.sleep, args=(9,)).start()',
);
const code = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  bytes.map((content) => Buffer.from(content).toString('latin1')),
  bytes.map((content) => Buffer.from(content).toString('utf8')),
  bytes.map((content) => `# coding: utf-16\n${Buffer.from(content).toString('utf16le')}`),
  fc.array(words, { maxLength: 40 }).map((parts) => parts.join(' ')),
  fc.nat({ max: 100_000 }).map((depth) => '('.repeat(depth)),
  fc.string({ unit: 'grapheme' }).map((text) => `print(${JSON.stringify(text)})`),
  fc.array(fc.nat({ max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  fc.array(statements, { maxLength: 4 }).map((parts) => parts.join('\n')),
);

test('any text as code has a typed outcome', { timeout: 240_000 }, async () => {
  await withSession(options, async (session) => {
    await fc.assert(
      fc.asyncProperty(code, async (text) => {
        const result = await session.execute({ code: text });
        executionResultSchema.parse(result);
        expect(allowed).toContain(result.outcome);
        expect(result.error === null).toBe(result.outcome === 'ok' || result.outcome === 'no_output');
        expect(result.stdout.length).toBeLessThanOrEqual(500);
      }),
      { numRuns: 100 },
    );
  });
  // What one session's code did to its own interpreter is no other session's matter.
  await withSession({}, async (session) => {
    expect(await session.execute({ code: 'print("here")' })).toMatchObject({ outcome: 'ok', stdout: 'here\n' });
  });
});

test('any bytes as a request over HTTP have a typed answer', { timeout: 240_000 }, async () => {
  const { port, close } = await listen(sandboxApi(get()), { port: 0, hostname: '127.0.0.1' });
  const origin = `http://127.0.0.1:${port}`;
  const ask = (path: string, body: Uint8Array | string) =>
    fetch(origin + path, {
      method: 'POST',
      body: typeof body === 'string' ? body : Buffer.from(body),
      signal: AbortSignal.timeout(30_000),
    });
  try {
    const opened = await ask('/v1/sessions', JSON.stringify({ sessionId: 'any', ...options }));
    expect(opened.status).toBe(201);
    const path = '/v1/sessions/any/executions';
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          bytes.map((body) => ({ body, whole: false })),
          fc.json().map((body) => ({ body, whole: false })),
          code.map((text) => ({ body: JSON.stringify({ code: text }), whole: true })),
        ),
        async ({ body, whole }) => {
          const answer = await ask(path, body);
          const content: unknown = await answer.json();
          if (whole) expect(allowed).toContain(executionResultSchema.parse(content).outcome);
          else expect([answer.status, content]).toMatchObject([400, { error: { type: 'data' } }]);
        },
      ),
      { numRuns: 60 },
    );
    expect((await fetch(`${origin}/healthz`)).status).toBe(200);
  } finally {
    await close();
  }
});
