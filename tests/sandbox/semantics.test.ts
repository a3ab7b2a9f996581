import { expect, test } from 'vitest';
import { sharedSandbox } from './shared-sandbox.ts';

const { run, withSession } = sharedSandbox();

test('an image file that a call writes is its image where it shows none', async () => {
  const [written, shown, later] = await run(
    {},
    'Image.new("RGB", (5, 3)).save("out.png")',
    'Image.new("RGB", (5, 3)).save("out.png")\ndisplay(Image.new("RGB", (7, 2)))',
    'print("nothing new")',
  );
  expect(written).toMatchObject({ outcome: 'ok', images: [{ width: 5, height: 3 }] });
  expect(shown?.images.map(({ width }) => width)).toEqual([7]);
  expect(later?.images).toEqual([]);
});

test('in a folder that code goes to, only what the call itself wrote is its image', async () => {
  const [, moved, written] = await run(
    {},
    'import os\nos.makedirs("one")\nos.makedirs("two")\nImage.new("L", (5, 3)).save("one/old.png")\nimport time\ntime.sleep(0.05)',
    'os.chdir("one")\nprint(os.listdir())',
    'os.chdir("../two")\nImage.new("L", (7, 2)).save("new.png")',
  );
  expect(moved).toMatchObject({ stdout: "['old.png']\n", images: [] });
  expect(written?.images.map(({ width }) => width)).toEqual([7]);
});

test('the input image is not taken for one that was written', async () => {
  const picture = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC';
  const [first] = await run(
    { images: [{ data: picture }], variables: { image: 'img', file: 'img.png' } },
    'print(img.size)',
  );
  expect(first).toMatchObject({ outcome: 'ok', stdout: '(1, 1)\n', images: [] });
});

test.each([
  ['after a backslash', 'x = \\\n1', ''],
  ['within a text', 'x = """\nx\n"""', ''],
  ['within brackets', 'x = (\n1,\n2)', ''],
  ['under a decorator', '@str\ndef f(): pass', ''],
  ['after a branch', 'if 0: 1\nelse: 2', ''],
  ['with another one before it', 'x = 3; x', '3\n'],
  ['over several lines', 'x = 3\nmax(x,\n4)', '4\n'],
  ['before a comment', '3\n  # three\n', '3\n'],
  ['that unpacks', 'x = (1, 2)\n*x, 3', '(1, 2, 3)\n'],
  ['that is a choice', 'x = 0\nx if x else "no"', "'no'\n"],
  ['of carriage returns', 'x = 1\rx', '1\n'],
  ['that a future import changes', 'from __future__ import annotations\n7', '7\n'],
])('a last line %s is shown only where it is an expression', async (_, code, stdout) => {
  const [result] = await run({}, code);
  expect(result).toMatchObject({ outcome: stdout === '' ? 'no_output' : 'ok', stdout });
});

test.each([
  ['in its last line', 'x = 1\n\n1 / 0', 3],
  ['before it', 'x = 1\ny = 1 / 0\nx', 2],
  ['in no line that runs', 'x = 1\nif x:\nx', 3],
])('an error %s tells the line of the code', async (_, code, line) => {
  const [result] = await run({}, code);
  expect(result?.error?.line).toBe(line);
});

test('a written file that is no image is left out', async () => {
  const [result] = await run({}, 'open("a.png", "w").write("no image")\nprint("done")');
  expect(result).toMatchObject({ outcome: 'ok', images: [] });
});

test('an image that is too long for its width is an exception with its size', async () => {
  const [result] = await run({ limits: { maximumAspect: 10 } }, 'Image.new("L", (101, 10))');
  expect(result).toMatchObject({ outcome: 'exception', error: { type: 'ValueError' } });
  expect(result?.error?.message).toContain('101 x 10');
});

test('an image keeps to the greatest aspect when it is shrunk', async () => {
  const limits = { maximumSide: 2048, minimumSide: 28, maximumAspect: 200 };
  const [result] = await run({ limits }, 'Image.new("L", (6000, 30))');
  expect(result?.images).toMatchObject([{ width: 2048, height: 11 }]);
});

test('a call with the id of the one before it returns that result and does not run', async () => {
  await withSession({}, async (session) => {
    await session.execute({ code: 'count = 0' });
    const call = { code: 'count += 1\nprint(count)', executionId: 'one' };
    const [first, again] = await Promise.all([session.execute(call), session.execute(call)]);
    expect(again).toEqual(first);
    expect((await session.execute(call)).stdout).toBe('1\n');
    expect((await session.execute({ ...call, executionId: 'two' })).stdout).toBe('2\n');
  });
});

test.each([{ code: 'print("other")' }, { seconds: 7 }])(
  'a call with the id of the one before it and %o is refused, and the session goes on',
  async (change) => {
    await withSession({}, async (session) => {
      const call = { code: 'print("one")', executionId: 'one' };
      await session.execute(call);
      await expect(session.execute({ ...call, ...change })).rejects.toMatchObject({
        type: 'config',
        where: session.id,
        message: expect.stringContaining('"one" belongs to the call before'),
      });
      expect((await session.execute(call)).stdout).toBe('one\n');
      expect((await session.execute({ ...call, ...change, executionId: 'two' })).outcome).toBe('ok');
    });
  },
);

test('a session ends when its lifetime is over, also where it is used', async () => {
  await withSession({ totalSeconds: 0.5 }, async (session) => {
    const ended = new Promise<void>((resolve) => session.onEnd(resolve));
    const slept = await session.execute({ code: 'import time\ntime.sleep(5)' });
    expect(slept.outcome).toBe('infrastructure');
    await ended;
  });
});

test('a session may last longer than a timer does', async () => {
  await withSession({ totalSeconds: 2 ** 31 / 1000, idleSeconds: 2 ** 31 / 1000 }, async (session) => {
    await new Promise((resolve) => setTimeout(resolve, 30));
    expect(await session.execute({ code: '1' })).toMatchObject({ outcome: 'ok', stdout: '1\n' });
  });
});

test('a call may have forty threads at one time', async () => {
  const code = `import threading
from concurrent.futures import ThreadPoolExecutor
all_there = threading.Barrier(40)
def work(number):
    all_there.wait(10)
    return int((np.ones((50, 50)) * number).sum())
with ThreadPoolExecutor(40) as pool:
    print(sum(pool.map(work, range(40))))`;
  const [result] = await run({}, code);
  expect(result).toMatchObject({ outcome: 'ok', stdout: '1950000\n' });
});

test('the memory of all processes of a call counts together', async () => {
  const code = `import os, time
for _ in range(4):
    if os.fork() == 0:
        held = bytearray(os.urandom(1 << 20) * 100)
        time.sleep(30)
time.sleep(30)`;
  const [result, after] = await run({ limits: { memoryMib: 256, callSeconds: 20 } }, code, 'print("here")');
  expect(result).toMatchObject({ outcome: 'memory', error: { type: 'MemoryLimit' } });
  expect(after?.stdout).toBe('here\n');
});

test.each(['scipy.ndimage', 'skimage.measure', 'sympy', 'pandas', 'matplotlib.pyplot', 'cv2'])(
  '%s is there without an import of its own time',
  async (library) => {
    const [result] = await run({}, `import sys\nprint("${library}" in sys.modules)`);
    expect(result?.stdout).toBe('True\n');
  },
);

test('random numbers are the same in each session, and a failed call takes none', async () => {
  const numbers = 'import random\nimport numpy as np\nprint(random.random(), np.random.random())';
  const [, after] = await run({}, `${numbers}\n1 / 0`, numbers);
  const [first] = await run({}, numbers);
  expect(after?.stdout).toMatch(/^0\.\d+ 0\.\d+\n$/);
  expect(first?.stdout).toBe(after?.stdout);
});

test('what the libraries hold is not counted as memory of the session', async () => {
  const code = `import gc, sys
held = bytearray(1 << 20) * 150
seen = sum(sys.getrefcount(thing) for thing in gc.get_objects())
for module in list(sys.modules.values()):
    for thing in vars(module).values() if hasattr(module, "__dict__") else ():
        seen += len(repr(type(thing)))
import time
time.sleep(0.3)
print(seen > 0)`;
  const [result] = await run({ limits: { memoryMib: 256 } }, code);
  expect(result?.stdout).toBe('True\n');
});

test('a session that gets ready when needed undoes a failed call, also the first', async () => {
  const results = await run(
    { rollback: 'when_needed' },
    'y = 1\n1 / 0',
    'x = 1\nopen("a.txt", "w").write("one")',
    'x = 2\nopen("a.txt", "w").write("two")\n1 / 0',
    'print(x, open("a.txt").read(), "y" in globals())',
    'x += 1\nprint(x)',
    'import os\nos._exit(1)',
    'print(x)',
  );
  expect(results.map(({ outcome, stdout }) => `${outcome} ${stdout.trim()}`)).toEqual([
    'exception ',
    'ok 3',
    'exception ',
    'ok 1 one False',
    'ok 2',
    'exception ',
    'ok 2',
  ]);
});

test('a stateless session that gets ready when needed starts each call anew', async () => {
  const results = await run(
    { rollback: 'when_needed', state: 'stateless' },
    'x = 1',
    'print("x" in globals())',
    '1 / 0',
    'print("x" in globals())',
  );
  expect(results.map(({ outcome, stdout }) => `${outcome} ${stdout.trim()}`)).toEqual([
    'no_output ',
    'ok False',
    'exception ',
    'ok False',
  ]);
});

test('what a call starts does nothing between calls of a session that gets ready when needed', async () => {
  const counting =
    'import threading, time\ncount = 0\ndef run():\n    global count\n    while True:\n        count += 1\n        time.sleep(0.001)\nthreading.Thread(target=run, daemon=True).start()\nprint(count)';
  await withSession({ rollback: 'when_needed' }, async (session) => {
    const before = Number((await session.execute({ code: counting })).stdout);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(Number((await session.execute({ code: 'print(count)' })).stdout) - before).toBeLessThan(100);
  });
});
