import { afterEach, expect, test } from 'vitest';
import { image } from '../../episodes/message-parts.ts';
import { promptParts } from '../../episodes/prompt-messages.ts';
import { play } from './play.ts';
import { png } from './scripted-sandbox.ts';
import { inOrder, startScriptedServer } from './scripted-server.ts';

const open: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((part) => part.close()));
});

test('images stand at their marks', () =>
  expect(promptParts([{ role: 'user', content: 'First <image>, then <image>.' }], 2)).toEqual([
    { role: 'user', parts: ['First ', image, ', then ', image, '.'] },
  ]));

test('without marks the images stand before the first user message', () =>
  expect(
    promptParts(
      [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'What?' },
      ],
      1,
    ),
  ).toEqual([
    { role: 'system', parts: ['Be short.'] },
    { role: 'user', parts: [image, 'What?'] },
  ]));

test.each([
  ['more marks than images', [{ role: 'user', content: '<image><image>' }], 1],
  ['fewer marks than images', [{ role: 'user', content: '<image>' }], 2],
  ['an unknown role', [{ role: 'human', content: 'What?' }], 0],
  ['no message', [], 0],
  ['no user for the images', [{ role: 'system', content: 'What?' }], 1],
  [
    "the model's turn at the end",
    [
      { role: 'user', content: 'What?' },
      { role: 'assistant', content: 'It' },
    ],
    0,
  ],
])('%s is a fault of the data', (_, prompt, images) =>
  expect(() => promptParts(prompt, images)).toThrow(expect.objectContaining({ type: 'data' })),
);

test("an episode with the row's own prompt sends that, and says so", async () => {
  const server = await startScriptedServer(inOrder(['<answer>7</answer>']));
  open.push(server);
  const bytes = await png(28, 28);
  const prompt = [
    { role: 'system', content: 'Look.' },
    { role: 'user', content: '<image>\nWhich {question} digit?' },
  ];
  const episode = await play({ endpoints: [server.url], images: [bytes], prompt, attempt: 2 });
  expect(episode).toMatchObject({ prompt: 'dataset', attempt: 2, episodeId: 'test-0#2', answer: '7' });
  expect(server.requests[0]?.messages).toEqual([
    { role: 'system', content: 'Look.' },
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: `data:image/png;base64,${bytes.toString('base64')}` } },
        { type: 'text', text: '\nWhich {question} digit?' },
      ],
    },
  ]);
});

test("a row's own prompt that does not fit its images ends the episode as data_error", async () => {
  const server = await startScriptedServer(inOrder([]));
  open.push(server);
  const episode = await play({ endpoints: [server.url], prompt: [{ role: 'user', content: '<image><image>' }] });
  expect(episode).toMatchObject({ ending: 'data_error', error: { type: 'data' } });
  expect(server.requests).toHaveLength(0);
});
