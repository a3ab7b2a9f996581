import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { episodeSchema } from '../../domain/episode.ts';
import { executionResultSchema } from '../../domain/sandbox.ts';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { createModelClient } from '../../episodes/model-client.ts';
import { runEpisode } from '../../episodes/run-episode.ts';
import { png, producedImage, scriptedSandbox } from './scripted-sandbox.ts';
import { inOrder, type ReceivedMessage, startScriptedServer } from './scripted-server.ts';

const folder = join(import.meta.dirname, '../golden/traces');
const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));

const goldenSchema = z.strictObject({
  name: z.string(),
  protocol: z.string(),
  question: z.string(),
  prompt: z.array(z.strictObject({ role: z.string(), content: z.string() })).optional(),
  images: z.int(),
  turns: z.array(z.string()),
  executions: z.array(
    executionResultSchema.extend({ images: z.array(z.strictObject({ width: z.int(), height: z.int() })) }),
  ),
  expected: z.strictObject({
    messages: z.array(z.strictObject({ role: z.string(), text: z.string() })),
    ending: z.string(),
    answer: z.string().nullable(),
  }),
});

const textOf = ({ role, content }: ReceivedMessage): { role: string; text: string } => ({
  role,
  text:
    typeof content === 'string'
      ? content
      : content
          .map((part, index) => {
            if (part.type === 'text') return part.text;
            return content[index - 1]?.type === 'image_url' ? '' : '{images}';
          })
          .join(''),
});

test('there are golden traces', () => expect(files.length).toBeGreaterThanOrEqual(8));

test.each(files)('%s is replayed as it was recorded', async (file) => {
  const golden = goldenSchema.parse(JSON.parse(await readFile(join(folder, file), 'utf8')));
  const results = await Promise.all(
    golden.executions.map(async (result) => ({
      ...result,
      images: await Promise.all(result.images.map(({ width, height }) => producedImage(width, height))),
    })),
  );
  const server = await startScriptedServer(inOrder(golden.turns));
  const client = createModelClient({ endpoints: [server.url], model: 'scripted' });
  const world = scriptedSandbox((_, count) => {
    const result = results[count - 1];
    if (!result) throw new Error('a call beyond the recorded ones');
    return result;
  });
  try {
    const episode = await runEpisode({
      task: {
        sampleId: golden.name,
        dataSource: 'golden',
        question: golden.question,
        reference: '',
        answerKind: 'text',
        family: 'golden',
        transform: 'identity',
      },
      images: await Promise.all(Array.from({ length: golden.images }, (_, index) => png(28 + index, 28))),
      ...(golden.prompt && { prompt: golden.prompt }),
      protocol: await loadProtocol(golden.protocol),
      client,
      sandbox: world.sandbox,
      sampling: { temperature: 0, topP: 1, maxTokens: 64, seed: null },
      signal: new AbortController().signal,
      deadlineSeconds: 30,
    });
    const sent = server.requests.at(-1)?.messages.map(textOf) ?? [];
    const last = { role: 'assistant', text: episode.turns.at(-1)?.text };
    expect([...sent, last]).toEqual(golden.expected.messages);
    expect({ ending: episode.ending, answer: episode.answer }).toEqual({
      ending: golden.expected.ending,
      answer: golden.expected.answer,
    });
    expect(server.requests).toHaveLength(golden.turns.length);
    expect(world.codes).toHaveLength(golden.executions.length);
    expect(world.open()).toBe(0);
    expect(episodeSchema.parse(episode)).toEqual(episode);
  } finally {
    await client.close();
    await server.close();
  }
});
