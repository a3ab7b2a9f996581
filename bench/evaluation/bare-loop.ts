import { parseArgs } from 'node:util';
import { Agent, request } from 'undici';
import { readRlRows } from '../../datasets/read-rows.ts';
import { forEachBounded } from '../../evaluation/for-each-bounded.ts';

/* The least that a client can do: the same requests with the same bytes, without a sandbox, a journal or a figure. */
const { values } = parseArgs({
  options: {
    url: { type: 'string' },
    data: { type: 'string' },
    workers: { type: 'string' },
    turns: { type: 'string' },
  },
});
const { url = '', data = '' } = values;
const turns = Number(values.turns ?? 2);
const agent = new Agent({ connections: null });

const post = async (body: string | Buffer): Promise<void> => {
  const headers = { 'content-type': 'application/json' };
  const response = await request(`${url}/v1/chat/completions`, { method: 'POST', body, headers, dispatcher: agent });
  await response.body.text();
};

await forEachBounded(
  readRlRows(data),
  Number(values.workers ?? 32),
  async ({ images, extra_info }) => {
    const image = Buffer.from(images[0]?.bytes ?? []).toString('base64');
    const parts = `{"type":"image_url","image_url":{"url":"data:image/jpeg;base64,${image}"}}`;
    const question = `{"role":"user","content":[${parts},{"type":"text","text":"${extra_info.question}"}]}`;
    let history = question;
    for (let turn = 0; turn < turns; turn += 1) {
      await post(`{"model":"bench","max_tokens":64,"messages":[${history}]}`);
      history += ',{"role":"assistant","content":"code"},{"role":"user","content":"output"}';
    }
    await post(`{"model":"judge-json","max_tokens":64,"messages":[{"role":"user","content":"agree?"}]}`);
  },
  () => undefined,
);
await agent.close();
