import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { z } from 'zod';

/** Starts `mock-endpoints.ts` with these facts. */
export const startEndpoints = async (facts: readonly { ms: number; places: number; turns?: number }[]) => {
  const child = fork(join(import.meta.dirname, 'mock-endpoints.ts'), [JSON.stringify(facts)]);
  const [urls] = await once(child, 'message', { signal: AbortSignal.timeout(20_000) });
  return {
    urls: z.array(z.string()).parse(urls),
    /** Ends one of them, with all its connections. */
    kill: (place: number): void => {
      child.send(place);
    },
    close: async (): Promise<void> => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
};
