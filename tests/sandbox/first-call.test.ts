import { expect, test } from 'vitest';
import type { SessionOptions } from '../../domain/sandbox.ts';
import { smallPng } from './pictures.ts';
import { sharedSandbox } from './shared-sandbox.ts';

const { get: sandbox } = sharedSandbox();

/** Opens a session with its first call, and runs that and more. */
const runFrom = async (options: SessionOptions, ...codes: string[]) => {
  const [first = ''] = codes;
  const session = await sandbox().createSession(options, { code: first });
  try {
    const results = [];
    for (const code of codes) results.push(await session.execute({ code }));
    return results;
  } finally {
    await session.close();
  }
};

for (const rollback of ['ahead', 'when_needed'] as const) {
  test(`the first call of a session may come with its opening, rollback ${rollback}`, async () => {
    const image = { data: await smallPng() };
    const [first, , after] = await runFrom(
      { images: [image], rollback },
      'x = input_image.size\nprint(x)',
      'x = 0\n1 / 0',
      'print(x)',
    );
    expect(first).toMatchObject({ outcome: 'ok', stdout: '(28, 28)\n' });
    expect(after?.stdout).toBe('(28, 28)\n');
  });

  test(`a first call that fails is undone, rollback ${rollback}`, async () => {
    const [first, after] = await runFrom(
      { rollback },
      'x = 1\nopen("a.txt", "w").close()\n1 / 0',
      'import os\nprint(os.listdir(), "x" in globals())',
    );
    expect(first?.error?.type).toBe('ZeroDivisionError');
    expect(after?.stdout).toBe('[] False\n');
  });

  test(`a stateless session begins anew after its first call, rollback ${rollback}`, async () => {
    const [first, after] = await runFrom(
      { state: 'stateless', rollback },
      'x = 1\nprint(x)',
      'print("x" in globals())',
    );
    expect([first?.stdout, after?.stdout]).toEqual(['1\n', 'False\n']);
  });
}

test('a first call has its time limit, and what it started ends with it', async () => {
  const session = await sandbox().createSession({}, { code: 'while True:\n    pass', seconds: 0.3 });
  const late = await session.execute({ code: 'while True:\n    pass', seconds: 0.3 });
  const after = await session.execute({ code: 'print(1)' });
  await session.close();
  expect([late.outcome, after.stdout]).toEqual(['timeout', '1\n']);
});

test('a session that is opened with a call makes that one first', async () => {
  const session = await sandbox().createSession({}, { code: 'print(1)' });
  await expect(session.execute({ code: 'print(2)' })).rejects.toMatchObject({ type: 'config' });
  const results = [await session.execute({ code: 'print(1)' }), await session.execute({ code: 'print(2)' })];
  await session.close();
  expect(results.map(({ stdout }) => stdout)).toEqual(['1\n', '2\n']);
});

test('an image that does not decode is told, and no call runs', async () => {
  const broken = { data: Buffer.from('no image').toString('base64') };
  await expect(sandbox().createSession({ images: [broken] }, { code: 'print(1)' })).rejects.toMatchObject({
    type: 'data',
  });
});

test('a session that closes during its first call ends it', async () => {
  const session = await sandbox().createSession({}, { code: 'while True:\n    pass' });
  const running = session.execute({ code: 'while True:\n    pass' });
  await session.close();
  expect((await running).outcome).toBe('infrastructure');
});
