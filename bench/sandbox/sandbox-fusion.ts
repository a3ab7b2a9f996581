import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { z } from 'zod';
import { expectPrinted, firstCode, type Subject } from './subject.ts';

const answerSchema = z.object({ status: z.string(), run_result: z.object({ stdout: z.string() }).nullable() });

const freePort = async (): Promise<number> => {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  server.close();
  return typeof address === 'object' && address !== null ? address.port : 0;
};

/** `/run_code` of SandboxFusion, started from a checkout under its configuration `local`: isolation `none`. */
export const sandboxFusion = async (python: string, checkout: string): Promise<Subject> => {
  const name = 'SandboxFusion /run_code';
  const port = await freePort();
  const server = spawn(python, [join(import.meta.dirname, 'sandbox_fusion_peer.py'), String(port)], {
    cwd: checkout,
    stdio: ['ignore', 'ignore', 'ignore'],
    env: { ...process.env, PYTHONPATH: checkout },
  });
  const run = async (code: string): Promise<void> => {
    const answer = await request(`http://127.0.0.1:${port}/run_code`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code, language: 'python', run_timeout: 60 }),
    });
    const result = answerSchema.parse(await answer.body.json());
    expectPrinted(name, result.run_result?.stdout ?? result.status);
  };
  for (let tries = 0; ; tries += 1) {
    const ready = await run('print(1)').then(
      () => true,
      (error: unknown) => {
        if (tries > 100 || server.exitCode !== null) throw error;
        return false;
      },
    );
    if (ready) break;
    await delay(300);
  }
  return {
    name,
    slow: true,
    open: async () => {
      const started = performance.now();
      await run(firstCode);
      return { openMs: performance.now() - started, close: () => Promise.resolve() };
    },
    close: async () => {
      server.kill('SIGTERM');
      await once(server, 'exit');
    },
  };
};
