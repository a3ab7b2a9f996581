import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const statsSchema = z.object({
  requests: z.number(),
  answers: z.number(),
  judgements: z.number(),
  most: z.number(),
  first: z.number(),
  last: z.number(),
});

const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));

export interface MockOptions {
  readonly turns: number;
  readonly turnMs: number;
  readonly slots?: number;
  /** Whether it keeps images under their id, and says so, as vLLM does. @default false */
  readonly keepsMedia?: boolean;
  /** How many images the code of a turn shows, and the bytes by which a request grows with them. @default none */
  readonly shown?: { readonly images: number; readonly bytes: number };
}

/** Starts the mock server in a process of its own, so that its work is not counted for the one who asks. */
export const startMock = async ({ turns, turnMs, slots = 100_000, keepsMedia = false, shown }: MockOptions) => {
  const args = ['--turns', String(turns), '--turn-ms', String(turnMs), '--slots', String(slots)];
  if (keepsMedia) args.push('--keeps-media');
  if (shown) args.push('--shows', String(shown.images), '--turn-bytes', String(shown.bytes));
  const child = spawn(python, ['-I', join(import.meta.dirname, 'mock_server.py'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [url] = (await once(createInterface(child.stdout), 'line', { signal: AbortSignal.timeout(20_000) })) as [
    string,
  ];
  return {
    url,
    stats: async () => statsSchema.parse(await (await fetch(`${url}/stats`)).json()),
    close: async () => {
      child.kill('SIGKILL');
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
};
