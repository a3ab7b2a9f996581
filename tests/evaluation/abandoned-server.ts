import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { completion, type ReceivedRequest } from '../episodes/scripted-server.ts';

/** Serves the OpenAI API to clients that die in the middle of a request, which is then as if it had not come. */
export const startAbandonedServer = async (answer: (request: ReceivedRequest) => Promise<string>) => {
  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method === 'GET') {
      response.end(JSON.stringify({ object: 'list', data: [{ id: 'scripted', object: 'model' }] }));
      return;
    }
    const body = await text(request).catch(() => undefined);
    if (body === undefined) return;
    response.end(completion(await answer(JSON.parse(body))));
  };
  const server = createServer((request, response) => void reply(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
};
