import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { sharedSandbox } from './shared-sandbox.ts';

const { withSession } = sharedSandbox();

/** Runs each call in a session that has rested so long that its folder's time stamps can be relied on. */
const runRested = (...codes: string[]) =>
  withSession({ limits: { callSeconds: 2 } }, async (session) => {
    const results = [];
    for (const code of codes) {
      await delay(120);
      results.push(await session.execute({ code }));
    }
    return results;
  });

test('a file that is changed in its place is shown, kept, and changed back after a failed call', async () => {
  const [, same, changed, failed, after] = await runRested(
    'Image.new("L", (9, 9), 1).save("a.png")\nwith open("a.txt", "w") as file:\n    file.write("one")',
    'x = 1',
    'Image.new("L", (9, 9), 200).save("a.png")\nwith open("a.txt", "w") as file:\n    file.write("two")',
    'with open("a.txt", "w") as file:\n    file.write("bad")\n1 / 0',
    'print(open("a.txt").read(), Image.open("a.png").getpixel((0, 0)))',
  );
  expect(same).toMatchObject({ outcome: 'no_output', images: [] });
  expect(changed?.images).toHaveLength(1);
  expect(failed?.outcome).toBe('exception');
  expect(after?.stdout).toBe('two 200\n');
});

test('a new name is seen in the folder, and in one below it', async () => {
  const [, shown, , failed, after] = await runRested(
    'import os\nos.mkdir("below")',
    'Image.new("L", (9, 9)).save("new.png")',
    'with open("below/kept.txt", "w") as file:\n    file.write("kept")',
    'os.remove("below/kept.txt")\nos.mkfifo("below/pipe")',
    'print(os.listdir("below"), open("below/kept.txt").read())',
  );
  expect(shown?.images).toHaveLength(1);
  expect(failed?.outcome).toBe('policy');
  expect(after?.stdout).toBe("['kept.txt'] kept\n");
});

test('a session lives on whose code holds every file that it may open', async () => {
  const [held, after] = await runRested(
    'held = []\ntry:\n    while True:\n        held.append(open("/dev/null"))\nexcept OSError as error:\n    print(error.strerror)',
    'print(len(held) > 50)',
  );
  expect(held).toMatchObject({ outcome: 'ok', stdout: 'Too many open files\n' });
  expect(after).toMatchObject({ outcome: 'ok', stdout: 'True\n' });
});

test('no code of a session runs between its calls', async () => {
  const [, after] = await runRested(
    'import builtins\ncalls = []\nbuiltins.print = lambda *values, **_: calls.append(values)',
    'calls',
  );
  expect(after).toMatchObject({ outcome: 'ok', stdout: '[]\n' });
});

test.each([
  ['fails between calls', 'if "socket" in event:\n        raise SystemExit', 'ok', 'True\n'],
  ['ends the interpreter between calls', 'if "socket" in event:\n        os._exit(3)', 'policy', ''],
  ['refuses all', 'raise RuntimeError', 'exception', ''],
] as const)('a hook that %s is not taken for lost infrastructure', async (_, body, outcome, stdout) => {
  const [, after] = await runRested(
    `import os, sys\nkept = True\ndef hook(event, *_):\n    ${body}\nsys.addaudithook(hook)`,
    'print(kept)',
  );
  expect(after).toMatchObject({ outcome, stdout });
});

test('a call of any length runs', async () => {
  const lengths = [1, 60_000, 65_600, 300_000, 3_000_000];
  const results = await runRested(...lengths.map((length) => `print(len("${'a'.repeat(length)}"))`));
  expect(results.map(({ stdout }) => Number(stdout))).toEqual(lengths);
});

test('a call of a session that rested has its time limit, and the one after it its variables', async () => {
  const [, late, after] = await runRested('x = 1', 'x = 2\nwhile True:\n    pass', 'print(x)');
  expect(late?.outcome).toBe('timeout');
  expect(after?.stdout).toBe('1\n');
});

test('changes that follow each other closely are told apart, also of one size', async () => {
  const results = await withSession({}, async (session) => {
    const execute = (code: string) => session.execute({ code });
    const write = (text: string) => `with open("a.txt", "w") as file:\n    file.write("${text}")\n`;
    const seen = [];
    for (let round = 10; round < 30; round += 1) {
      await execute(`${write(`kept ${round}`)}Image.new("L", (9, 9), ${round}).save("a.png")`);
      await execute(`${write(`lost ${round}`)}1 / 0`);
      const again = await execute(`Image.new("L", (9, 9), ${round + 100}).save("a.png")`);
      const after = await execute('print(open("a.txt").read(), Image.open("a.png").getpixel((0, 0)))');
      seen.push([again.images.length, after.stdout]);
    }
    return seen;
  });
  expect(results).toEqual(Array.from({ length: 20 }, (_, index) => [1, `kept ${index + 10} ${index + 110}\n`]));
});
