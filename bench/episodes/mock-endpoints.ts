import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

/** Servers of the OpenAI API in a process of their own: `node mock-endpoints.ts '[{"ms":50,"places":4}]'`. */
const endpointSchema = z.object({
  /** Milliseconds that a request takes. */
  ms: z.number(),
  /** Requests that are worked on at once; further ones wait. */
  places: z.number(),
  /** Turns of an episode, the last of which answers. */
  turns: z.number().default(3),
});
type EndpointFacts = z.infer<typeof endpointSchema>;

const role = Buffer.from('"role"');
const modelsBody = JSON.stringify({ object: 'list', data: [{ id: 'mock', object: 'model' }] });
const turnBody = (content: string): string =>
  JSON.stringify({
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 20 },
  });
const callBody = turnBody('<code>\n```python\nprint(8)\n```\n</code>');
const answerBody = turnBody('<answer>8</answer>');

const countOf = (body: Buffer): number => {
  let count = 0;
  for (let at = body.indexOf(role); at >= 0; at = body.indexOf(role, at + 1)) count += 1;
  return count;
};

const startEndpoint = async ({ ms, places, turns }: EndpointFacts): Promise<Server> => {
  const waiting: (() => void)[] = [];
  let busy = 0;
  const work = async (body: Buffer, response: ServerResponse): Promise<void> => {
    if (busy >= places) await new Promise<void>((resolve) => waiting.push(resolve));
    else busy += 1;
    await delay(ms);
    const next = waiting.shift();
    if (next) next();
    else busy -= 1;
    // Each earlier turn is a message of the model and one of the tool, beside the question.
    response.end(countOf(body) >= 2 * turns - 1 ? answerBody : callBody);
  };
  const server = createServer(async (request, response) => {
    if (request.url === '/v1/models') {
      response.end(modelsBody);
      return;
    }
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    await work(Buffer.concat(chunks), response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
};

const servers = await Promise.all(
  z
    .array(endpointSchema)
    .parse(JSON.parse(process.argv[2] ?? '[]'))
    .map(startEndpoint),
);
process.send?.(servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`));
// A message is the place of the server that is to die.
process.on('message', (place) => {
  const server = servers[Number(place)];
  server?.close();
  server?.closeAllConnections();
});
process.on('disconnect', () => process.exit(0));
