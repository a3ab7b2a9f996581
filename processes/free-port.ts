import { createServer, type Server } from 'node:net';
import { LensmithError } from '../domain/errors.ts';
import { findPortHolder } from './port-holder.ts';

const loopback = '127.0.0.1';

const listen = (port: number): Promise<Server> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen({ port, host: loopback, exclusive: true }, () => resolve(server));
  });

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listening TCP server has a port');
  return address.port;
};

const close = (server: Server): Promise<void> => new Promise((resolve) => server.close(() => resolve()));

/** Distinct ports of the loopback that are free now. They are not reserved: use them soon. */
export const freePorts = async (count: number): Promise<number[]> => {
  // All are held open until the last is found, so that none comes twice.
  const servers = await Promise.all(Array.from({ length: count }, () => listen(0)));
  const ports = servers.map(portOf);
  await Promise.all(servers.map(close));
  return ports;
};

/** A port of the loopback that is free now. */
export const freePort = async (): Promise<number> => {
  const server = await listen(0);
  const port = portOf(server);
  await close(server);
  return port;
};

/** Whether a port of the loopback can be bound now. */
export const isPortFree = (port: number): Promise<boolean> =>
  listen(port).then(
    async (server) => {
      await close(server);
      return true;
    },
    () => false,
  );

/**
 * Checks that a port of the loopback can be bound.
 *
 * @throws LensmithError `port` naming the port, who needs it and, where it may be seen, who holds it.
 */
export const assertPortFree = async (port: number, what: string): Promise<void> => {
  try {
    await close(await listen(port));
  } catch (cause) {
    const holder = findPortHolder(port);
    const by = holder ? ` by process ${holder.pid} (${holder.command.slice(0, 120)})` : '';
    const reason =
      cause instanceof Error && 'code' in cause && cause.code === 'EADDRINUSE'
        ? `which is in use${by}; stop that program or choose another port`
        : `which cannot be bound: ${String(cause)}`;
    throw new LensmithError('port', `${what} needs port ${port} on ${loopback}, ${reason}`, {
      where: `${loopback}:${port}`,
      cause,
    });
  }
};
