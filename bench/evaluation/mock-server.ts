import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

/*
 * A server of the OpenAI API that costs next to nothing: it looks for marks at both ends of a request's bytes and never parses them.
 * A conversation runs code until its last turn, which answers. The judge agrees with everything, in the words that the
 * asker reads.
 */
const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '2' },
    'turn-ms': { type: 'string', default: '50' },
    /** Turns that are worked on at a time. */
    slots: { type: 'string', default: '100000' },
  },
});
const turns = Number(values.turns);
const turnMs = Number(values['turn-ms']);

const code = 'w, h = input_image.size\nprint(input_image.crop((0, 0, w // 2, h // 2)).size)';
const codeTurn = `I look at a part.\n<code>\n\`\`\`python\n${code}\n\`\`\`\n</code>`;
const answerTurn = 'I see it.\n<answer>seven</answer>';

const completion = (content: string, model = 'bench'): string =>
  JSON.stringify({
    id: 'bench',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
  });
const replies = {
  code: completion(codeTurn),
  answer: completion(answerTurn),
  json: completion('{"verdict": "correct", "reason": "the same"}', 'judge-json'),
  words: completion('Judgement: 1', 'judge'),
};

const stats = { requests: 0, answers: 0, judgements: 0, inFlight: 0, most: 0, first: 0, last: 0 };

let free = Number(values.slots);
const waiting: (() => void)[] = [];
const takeSlot = async (): Promise<void> => {
  if (free > 0) free -= 1;
  else await new Promise<void>((resolve) => waiting.push(resolve));
};
const giveSlot = (): void => {
  const next = waiting.shift();
  if (next) next();
  else free += 1;
};

/** Bytes of a body that are looked at: the fields beside the messages, and what follows the image of the question. */
const edgeBytes = 16 * 1024;

/** The beginning and the end of a body; what lies between is not kept, let alone searched. */
const edgesOf = async (request: IncomingMessage): Promise<{ head: string; tail: string }> => {
  let head = '';
  const tail: Buffer[] = [];
  let held = 0;
  for await (const piece of request as AsyncIterable<Buffer>) {
    if (head.length < edgeBytes) head += piece.toString('latin1', 0, edgeBytes - head.length);
    tail.push(piece);
    held += piece.length;
    while (tail[0] && held - tail[0].length >= edgeBytes) held -= tail.shift()?.length ?? 0;
  }
  return { head, tail: Buffer.concat(tail).toString('latin1', Math.max(0, held - edgeBytes)) };
};

const replyTo = async ({ head, tail }: { head: string; tail: string }): Promise<string> => {
  const says = (mark: string): boolean => head.includes(mark) || tail.includes(mark);
  if (says('"judge-json"')) {
    stats.judgements += 1;
    return replies.json;
  }
  if (says('"judge"')) {
    stats.judgements += 1;
    return replies.words;
  }
  await takeSlot();
  await delay(turnMs);
  giveSlot();
  if (tail.split('"assistant"').length < turns) return replies.code;
  stats.answers += 1;
  return replies.answer;
};

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  response.setHeader('content-type', 'application/json');
  if (request.url === '/stats') {
    response.end(JSON.stringify(stats));
    return;
  }
  if (request.method === 'GET') {
    const ids = request.url === '/v1/models' ? ['bench', 'judge-json', 'judge'] : [];
    if (ids.length === 0) response.statusCode = 404;
    response.end(JSON.stringify({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) }));
    return;
  }
  stats.first ||= performance.now();
  stats.requests += 1;
  stats.inFlight += 1;
  stats.most = Math.max(stats.most, stats.inFlight);
  response.end(await replyTo(await edgesOf(request)));
  stats.inFlight -= 1;
  stats.last = performance.now();
};

const server = createServer((request, response) => {
  answer(request, response).catch(() => response.destroy());
});
server.keepAliveTimeout = 60_000;
server.listen(0, '127.0.0.1', 4096, () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
