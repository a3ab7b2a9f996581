import type { Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { ForkServer, GuestConnection } from '../../sandbox/fork-server.ts';
import { prepareSessions } from '../../sandbox/prepared-sessions.ts';
import { waitFor } from '../processes/wait-for.ts';

/** A fork server whose sessions are connections that send nothing by themselves. */
const quietServer = () => {
  const opened: GuestConnection[] = [];
  const open = async (): Promise<GuestConnection> => {
    const socket = { destroyed: false, write: () => true, destroy: () => undefined } as unknown as Socket;
    const connection = { socket, line: undefined, onMessage: () => undefined, onClose: () => undefined };
    opened.push(connection);
    return connection;
  };
  const server: ForkServer = {
    walls: { seccomp: true, landlock: 0 },
    alive: () => true,
    exited: new Promise(() => undefined),
    open,
    kill: () => undefined,
    close: async () => undefined,
  };
  return { server, opened };
};

test.each([
  ['says that it cannot serve again', ({ onMessage }: GuestConnection) => onMessage({ content: {}, parts: [] })],
  ['ends instead', ({ onClose }: GuestConnection) => onClose()],
])('a session that was given back and %s is made up for', async (_, fail) => {
  const { server, opened } = quietServer();
  const prepared = prepareSessions(server, 1);
  await waitFor('the first session', () => opened[0]);
  const session = await prepared.take();
  prepared.giveBack(session);
  // The pool is looked after meanwhile, and counts on the one that comes back.
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(opened).toHaveLength(1);
  fail(session.connection);
  await waitFor('another session', () => opened[1]);
});
