import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A message as a server of the OpenAI API receives it. */
export interface ReceivedMessage {
  readonly role: string;
  readonly content: string | { type: string; text?: string; image_url?: { url: string } | null; uuid?: string }[];
}

export interface ReceivedRequest {
  readonly model: string;
  readonly messages: ReceivedMessage[];
  readonly max_tokens: number;
  readonly [field: string]: unknown;
}

/** What the server does with a request: a turn's text, or anything with the response. */
export type Step = string | ((response: ServerResponse, request: IncomingMessage) => void);

export const completion = (content: string): string =>
  JSON.stringify({
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 11, completion_tokens: 3 },
  });

export const answerStatus =
  (status: number, body = '{"error":{"message":"scripted"}}', headers: Record<string, string> = {}): Step =>
  (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(body);
  };

/** What a server tells of itself; `pages` are the bodies of further paths. */
export interface ServerFacts {
  model: string;
  ownedBy?: string;
  contextLength?: number;
  /** Of the weights behind its names, of which `model` is one. */
  root?: string;
  otherNames?: readonly string[];
  pages?: Readonly<Record<string, string>>;
}

/** Serves the OpenAI API on a free port of the loopback; `next` says what becomes of each chat request. */
export const startScriptedServer = async (
  next: (request: ReceivedRequest, count: number) => Step | Promise<Step>,
  facts: string | ServerFacts = 'scripted',
) => {
  const requests: ReceivedRequest[] = [];
  const told: ServerFacts = typeof facts === 'string' ? { model: facts } : facts;
  const server = createServer(async (request, response) => {
    if (request.url === '/v1/models') {
      const card = { owned_by: told.ownedBy, max_model_len: told.contextLength, root: told.root };
      const data = [...(told.otherNames ?? []), told.model].map((id) => ({ id, ...card }));
      response.end(JSON.stringify({ object: 'list', data }));
      return;
    }
    if (request.method !== 'POST') {
      const page = told.pages?.[request.url ?? ''];
      response.writeHead(page === undefined ? 404 : 200).end(page);
      return;
    }
    const received: ReceivedRequest = JSON.parse(await text(request));
    requests.push(received);
    const step = await next(received, requests.length);
    if (typeof step === 'string') response.end(completion(step));
    else step(response, request);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  return { url: `http://127.0.0.1:${port}/v1`, requests, stop, close: stop };
};

/** Takes the steps one by one; a request beyond them fails the test's episode as refused. */
export const inOrder =
  (steps: readonly Step[]) =>
  (_: ReceivedRequest, count: number): Step =>
    steps[count - 1] ?? answerStatus(400, '{"error":{"message":"no step is left"}}');
