import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';

/*
 * A server of the OpenAI API that costs next to nothing: it looks for marks at both ends of a request's bytes and never parses them.
 * A conversation runs code until its last turn, which answers. With `--shows` the code shows so many images, and a turn is
 * told by the length of its request, which grows by `--turn-bytes` from one turn to the next. The judge agrees with
 * everything, in the words that the asker reads. With `--keeps-media` it is to clients what vLLM is from 0.11 on: it tells
 * its version and the length of its queue, keeps an image under the `uuid` that it came with, and takes that id alone for
 * an image that it keeps.
 */
const { values } = parseArgs({
  options: {
    turns: { type: 'string', default: '2' },
    'turn-ms': { type: 'string', default: '50' },
    /** Turns that are worked on at a time. */
    slots: { type: 'string', default: '100000' },
    'keeps-media': { type: 'boolean', default: false },
    shows: { type: 'string', default: '0' },
    'turn-bytes': { type: 'string', default: '0' },
  },
});
const turns = Number(values.turns);
const turnMs = Number(values['turn-ms']);

const shows = Number(values.shows);
const turnBytes = Number(values['turn-bytes']);

const codeTurn = (code: string): string =>
  `I look at a part.\n<code>\n\`\`\`python\nw, h = input_image.size\n${code}\n\`\`\`\n</code>`;
/** Shows parts of the picture at places of chance: all samples have the same picture, but no two the same images. */
const showingCode = `import os
for _ in range(${shows}):
    x, y = os.urandom(2)
    input_image.crop((x, y, x + w // 2, y + h // 2)).show()`;
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
  code: completion(codeTurn(shows ? showingCode : 'print(input_image.crop((0, 0, w // 2, h // 2)).size)')),
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
interface Edges {
  readonly head: Buffer;
  readonly tail: Buffer;
}

/** By events: to iterate over a request costs more than all else that is done with a piece of it. */
const edgesOf = (request: IncomingMessage): Promise<Edges> =>
  new Promise((resolve, reject) => {
    const head: Buffer[] = [];
    const tail: Buffer[] = [];
    let begun = 0;
    let held = 0;
    request.on('data', (piece: Buffer) => {
      if (begun < edgeBytes) {
        head.push(piece.subarray(0, edgeBytes - begun));
        begun += piece.length;
      }
      tail.push(piece);
      held += piece.length;
      while (tail[0] && held - tail[0].length >= edgeBytes) held -= tail.shift()?.length ?? 0;
    });
    request.on('end', () => {
      const last = Buffer.concat(tail);
      resolve({ head: Buffer.concat(head), tail: last.subarray(Math.max(0, last.length - edgeBytes)) });
    });
    request.on('error', reject);
    request.on('close', () => reject(new Error('the request was broken off')));
  });

const keepsMedia = values['keeps-media'];
const keptMedia = new Set<string>();
const mediaId = Buffer.from('"uuid":"');
const mediaWithout = Buffer.from('"image_url":null,');

/** Keeps the images that an edge of a request names; false where it has one by its id that is not kept. */
const knowsMedia = (edge: Buffer): boolean => {
  for (let at = edge.indexOf(mediaId); at >= 0; at = edge.indexOf(mediaId, at + mediaId.length)) {
    const start = at + mediaId.length;
    const id = edge.toString('latin1', start, edge.indexOf('"', start));
    const isAlone = edge.subarray(Math.max(0, at - mediaWithout.length), at).equals(mediaWithout);
    if (isAlone && !keptMedia.has(id)) return false;
    keptMedia.add(id);
  }
  return true;
};

const assistant = Buffer.from('"assistant"');
const judge = Buffer.from('"judge');

/** Which judge a request names, if any: the text after `"judge` up to the next quotation mark. */
const judgeIn = (edge: Buffer): '' | '-json' | undefined => {
  for (let at = edge.indexOf(judge); at >= 0; at = edge.indexOf(judge, at + judge.length)) {
    const rest = edge.toString('latin1', at + judge.length, at + judge.length + 6);
    if (rest.startsWith('"')) return '';
    if (rest === '-json"') return '-json';
  }
  return undefined;
};

const turnsIn = (tail: Buffer): number => {
  let count = 0;
  for (let at = tail.indexOf(assistant); at >= 0; at = tail.indexOf(assistant, at + assistant.length)) count += 1;
  return count;
};

/** Bytes of the first request that came: all conversations begin with as many, but for some digits. */
let firstBytes = 0;

/** How many turns a request has behind it. */
const turnOf = (bytes: number, tail: Buffer): number => {
  if (!shows) return turnsIn(tail);
  firstBytes ||= bytes;
  return Math.round((bytes - firstBytes) / turnBytes);
};

const replyTo = async (bytes: number, { head, tail }: Edges): Promise<string | undefined> => {
  const asked = judgeIn(head) ?? judgeIn(tail);
  if (asked !== undefined) {
    stats.judgements += 1;
    return asked === '' ? replies.words : replies.json;
  }
  if (keepsMedia && !(knowsMedia(head) && knowsMedia(tail))) return undefined;
  await takeSlot();
  await delay(turnMs);
  giveSlot();
  if (turnOf(bytes, tail) + 1 < turns) return replies.code;
  stats.answers += 1;
  return replies.answer;
};

const pages = (path: string): string | undefined => {
  if (path === '/v1/models') {
    const owner = keepsMedia ? { owned_by: 'vllm' } : {};
    const data = ['bench', 'judge-json', 'judge'].map((id) => ({ id, object: 'model', ...owner }));
    return JSON.stringify({ object: 'list', data });
  }
  if (!keepsMedia) return undefined;
  if (path === '/version') return '{"version":"0.11.0"}';
  return path === '/metrics' ? `vllm:num_requests_waiting ${waiting.length}\n` : undefined;
};

const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
  response.setHeader('content-type', 'application/json');
  if (request.url === '/stats') {
    response.end(JSON.stringify(stats));
    return;
  }
  if (request.method === 'GET') {
    const page = pages(request.url ?? '');
    if (page === undefined) response.statusCode = 404;
    response.end(page);
    return;
  }
  stats.first ||= performance.now();
  stats.requests += 1;
  stats.inFlight += 1;
  stats.most = Math.max(stats.most, stats.inFlight);
  const reply = await replyTo(Number(request.headers['content-length']), await edgesOf(request));
  if (reply === undefined) response.statusCode = 400;
  response.end(reply ?? '{"error":{"message":"the data of an image is not there"}}');
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
