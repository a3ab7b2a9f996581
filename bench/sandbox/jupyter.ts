import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { expectPrinted, firstCode, furtherCode, type Subject } from './subject.ts';

const answerSchema = z.object({ ms: z.number(), printed: z.string() });

/** A Jupyter kernel for each session, with a client that waits for it to be idle; no isolation. */
export const jupyter = (python: string): Subject => {
  const child = spawn(python, [join(import.meta.dirname, 'jupyter_peer.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const ask = async (request: Record<string, unknown>) => {
    child.stdin.write(`${JSON.stringify(request)}\n`);
    const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(120_000) })) as [string];
    return answerSchema.parse(JSON.parse(line));
  };
  const printed = async (request: Record<string, unknown>): Promise<number> => {
    const answer = await ask(request);
    expectPrinted('Jupyter', answer.printed);
    return answer.ms;
  };
  return {
    name: 'Jupyter',
    slow: true,
    ...(child.pid === undefined ? {} : { root: child.pid }),
    open: async () => ({
      openMs: await printed({ open: firstCode }),
      call: () => printed({ call: furtherCode }),
      close: async () => void (await ask({ close: true })),
    }),
    close: async () => {
      child.stdin.end();
      await once(child, 'exit');
    },
  };
};
