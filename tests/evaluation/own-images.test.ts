import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { rlSchema } from '../../datasets/arrow-schemas.ts';
import { pngChunk } from '../../datasets/mnist/raster.ts';
import { writeRows } from '../../datasets/write-parquet.ts';
import type { CodeSandbox } from '../../episodes/tool-session.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { codeTurn } from '../episodes/play.ts';
import { png, ranOk } from '../episodes/scripted-sandbox.ts';
import { completion } from '../episodes/scripted-server.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { evaluationOptions } from './digit-set.ts';

const samples = 120;
const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** PNGs of 80 kB and more, each with a comment of its own; some samples have the same one. */
const writeImages = async (dir: string) => {
  const picture = await png(28, 28);
  const digests: string[] = [];
  const rows = Array.from({ length: samples }, (_, index) => {
    const text = Buffer.alloc(80_000 + 100 * (index % 9), index % 100);
    const comment = pngChunk('tEXt', Buffer.concat([Buffer.from('x\0'), text]));
    const bytes = Buffer.concat([picture.subarray(0, 33), comment, picture.subarray(33)]);
    digests.push(digestOf(bytes));
    const question = `What is ${index}?`;
    const answer = String(index);
    return {
      data_source: 'test',
      prompt: [{ role: 'user', content: question }],
      images: [{ bytes, path: null }],
      ability: 'counting',
      reward_model: { style: 'rule', ground_truth: answer },
      extra_info: {
        ...{ split: 'test', index, question, answer },
        ...{ answer_kind: 'number', family: 'sum', transform: 'identity' },
      },
    };
  });
  const path = join(dir, 'test.parquet');
  await writeRows(path, rlSchema, rows);
  return { path, digests };
};

/** Answers in three turns, each after a while of its own, and keeps the digest of each image that it is sent. */
const serve = async () => {
  const seen: { index: number; digest: string }[] = [];
  const server = createServer(async (request, response) => {
    if (request.method === 'GET') {
      response.end(JSON.stringify({ object: 'list', data: [{ id: 'scripted' }] }));
      return;
    }
    const body = await text(request);
    const index = Number(/What is (\d+)\?/.exec(body)?.[1]);
    const [, image = ''] = /data:image\/png;base64,([^"]*)"/.exec(body) ?? [];
    seen.push({ index, digest: digestOf(Buffer.from(image, 'base64')) });
    await delay((index * 7) % 20);
    const turns = body.split('"assistant"').length;
    response.end(completion(turns < 3 ? codeTurn('print(8)') : `<answer>${index}</answer>`));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, seen };
};

test('every request and every session has the image of its own sample, though their memory is used again', async () => {
  const dir = await temporaryFolder();
  const { path: dataset, digests } = await writeImages(dir);
  const server = await serve();
  const given: string[] = [];
  const sandbox: CodeSandbox = {
    createSession: async ({ images = [] }) => {
      await delay(5);
      given.push(...images.map((image) => ('bytes' in image ? digestOf(image.bytes) : '')));
      return { execute: async () => ranOk('8\n'), close: async () => undefined };
    },
  };
  const result = await runEvaluation(
    await evaluationOptions({
      dataset,
      outputDir: join(dir, 'out'),
      endpoints: [server.url],
      concurrency: 16,
      sandbox: { isolation: 'none', ...sandbox },
    }),
  );
  expect(result.verdicts).toEqual({ correct: samples });
  expect(server.seen).toHaveLength(3 * samples);
  for (const { index, digest } of server.seen) expect(digest).toBe(digests[index]);
  expect(given.toSorted()).toEqual(digests.toSorted());
});
