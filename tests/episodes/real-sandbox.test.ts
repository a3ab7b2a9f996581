import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LensmithError } from '../../domain/errors.ts';
import { openSandbox, type Sandbox } from '../../sandbox/open-sandbox.ts';
import { codeTurn, play } from './play.ts';
import { inOrder, startScriptedServer } from './scripted-server.ts';

let sandbox: Sandbox;
beforeAll(async () => {
  sandbox = await openSandbox({ python: join(import.meta.dirname, '../../.venv/bin/python') });
});
afterAll(() => sandbox?.close());

test('code runs in the real sandbox: state, a failure that is undone, an image, then the answer', async () => {
  const server = await startScriptedServer(
    inOrder([
      codeTurn('x = 3\nx = undefined_name'),
      codeTurn('print("x" in globals())\ndisplay(input_image.resize((56, 28)))'),
      '<answer>7</answer>',
    ]),
  );
  try {
    const episode = await play({ endpoints: [server.url], sandbox });
    const [failed, shown] = episode.turns.map(({ call }) => call);
    expect(failed).toMatchObject({ outcome: 'exception', error: { type: 'NameError', line: 2 } });
    expect(shown).toMatchObject({ outcome: 'ok', stdout: 'False\n', images: [{ width: 56, height: 28 }] });
    expect(episode.turns[1]?.reply).toBe('<tool_response>\nFalse{images}\n</tool_response>');
    expect(episode).toMatchObject({ ending: 'answered', answer: '7' });
    await expect.poll(() => sandbox.sessions()).toBe(0);
  } finally {
    await server.close();
  }
});

test('an image that only the sandbox refuses ends the episode as data_error', async () => {
  const server = await startScriptedServer(inOrder([codeTurn('print(1)')]));
  try {
    const refusing = {
      createSession: async () => {
        throw new LensmithError('data', 'expected an image that decodes');
      },
    };
    const episode = await play({ endpoints: [server.url], sandbox: refusing });
    expect(episode).toMatchObject({ ending: 'data_error', error: { type: 'data' } });
  } finally {
    await server.close();
  }
});
