import { join } from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openSandbox, type Sandbox } from '../../sandbox/open-sandbox.ts';
import { play, toolTurn } from './play.ts';
import { inOrder, startScriptedServer } from './scripted-server.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox({ python: join(import.meta.dirname, '../../.venv/bin/python') });
});
afterAll(() => sandbox?.close());

const lying = await sharp({ create: { width: 60, height: 40, channels: 3, background: 'red' } })
  .jpeg()
  .toBuffer();

const playCodes = async (...turns: string[]) => {
  const server = await startScriptedServer(inOrder([...turns, '<answer>7</answer>']));
  try {
    const episode = await play({ endpoints: [server.url], images: [lying], sandbox, protocol: 'codevision' });
    expect(episode).toMatchObject({ ending: 'answered', answer: '7' });
    expect(sandbox.sessions()).toBe(0);
    return episode.turns.slice(0, -1);
  } finally {
    await server.close();
  }
};

test('each call works on the image that it names, and variables do not stay', async () => {
  const turns = await playCodes(
    toolTurn('kept = 1\nresult = image.rotate(90, expand=True)', 0),
    toolTurn('result = image.crop((0, 0, image.width, 30))\nprint("kept" in globals())', 1),
    toolTurn('draw.rectangle((0, 0, 9, 9), fill="blue")', 0),
  );
  expect(turns.map(({ call }) => call)).toMatchObject([
    { outcome: 'ok', images: [{ width: 40, height: 60 }], imageIndex: 0, description: 'a test' },
    { outcome: 'ok', images: [{ width: 40, height: 30 }], stdout: 'False\n', imageIndex: 1 },
    { outcome: 'ok', images: [{ width: 60, height: 40 }] },
  ]);
});

test('an image that the code leaves as it was is no result', async () => {
  const [turn] = await playCodes(toolTurn('size = img.size', 0));
  expect(turn?.call).toMatchObject({ outcome: 'no_output', images: [] });
  expect(turn?.reply).toContain('left no new image');
});

test('a failure has the line of the code as the model wrote it', async () => {
  const [turn] = await playCodes(toolTurn('x = 1\nresult = image.crop(nowhere)', 0));
  expect(turn?.call).toMatchObject({ outcome: 'exception', error: { type: 'NameError', line: 2 } });
});

test('a call of an image that does not exist is refused before it runs', async () => {
  const [turn] = await playCodes(toolTurn('result = image', 1));
  expect(turn?.call).toMatchObject({ outcome: 'policy', imageIndex: 1, error: { type: 'RefusedCall' } });
});
