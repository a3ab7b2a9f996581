import { createAdaptorServer } from '@hono/node-server';
import type { Hono } from 'hono';
import { LensmithError } from '../domain/errors.ts';

/** A request that is not whole by then is refused, milliseconds. */
const requestMs = 60_000;

export interface Listening {
  readonly port: number;
  readonly close: () => Promise<void>;
}

/**
 * Serves a Hono app over HTTP. Port 0 takes a free one.
 *
 * @throws LensmithError `infrastructure` where the port cannot be bound.
 */
export const listen = async (app: Hono, { port, hostname }: { port: number; hostname: string }): Promise<Listening> => {
  const server = createAdaptorServer({ fetch: app.fetch, serverOptions: { requestTimeout: requestMs } });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new LensmithError('infrastructure', `cannot listen on ${hostname}:${port}: ${cause.message}`, {
          where: `${hostname}:${port}`,
          cause,
        }),
      ),
    );
    server.listen(port, hostname, resolve);
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        if ('closeAllConnections' in server) server.closeAllConnections();
      }),
  };
};
