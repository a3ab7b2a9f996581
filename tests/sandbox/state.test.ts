import { expect, test } from 'vitest';
import { smallPng } from './pictures.ts';
import { sharedSandbox } from './shared-sandbox.ts';

const { run, withSession } = sharedSandbox();
const listing = 'import os\nprint(sorted(os.listdir()))';

test('variables, functions, imports and files last from call to call', async () => {
  const results = await run(
    {},
    'import math\nx = [1]\ndef add(n):\n    x.append(n)',
    'add(math.floor(2.5))\nopen("a.txt", "w").write("kept")',
    'print(x, open("a.txt").read())',
  );
  expect(results[2]).toMatchObject({ outcome: 'ok', stdout: '[1, 2] kept\n' });
});

test.each([
  ['an exception', '1 / 0', 'exception'],
  ['a time limit', 'while True:\n    pass', 'timeout'],
  ['a memory limit', 'b"x" * 10**11', 'memory'],
  ['a crash', 'import ctypes\nctypes.string_at(0)', 'exception'],
  ['a refusal', 'import os\nos.mkfifo("pipe")', 'policy'],
] as const)('after %s variables and files are what they were before the call', async (_, ending, outcome) => {
  const change = [
    'x.append(2)',
    'open("a.txt", "w").write("changed")',
    'import os',
    'os.remove("b.txt")',
    'os.mkdir("new")',
    'open("new/c.txt", "w").close()',
    'os.symlink("/", "link")',
  ].join('\n');
  const look = `print(x, open("a.txt").read(), open("b.txt").read())\n${listing}`;
  const [, second, third, after] = await run(
    { limits: { callSeconds: 1 } },
    'x = [1]\nfor name in ("a.txt", "b.txt"):\n    open(name, "w").write(name)',
    `${change}\n${ending}`,
    look,
    look,
  );
  // A refusal is told by the next call, where the call itself went straight to its interpreter.
  const [failed, looks] = second?.outcome === 'no_output' ? [third, [after]] : [second, [third, after]];
  expect(failed?.outcome).toBe(outcome);
  for (const seen of looks) expect(seen?.stdout).toBe("[1] a.txt b.txt\n['a.txt', 'b.txt']\n");
});

test('a variable named `display` lasts as any other', async () => {
  const [, own, , given] = await run(
    {},
    'def display(value):\n    print("own", value)',
    'display(1)',
    'del display',
    'display(1)',
  );
  expect([own?.stdout, given?.stdout]).toEqual(['own 1\n', '1\n']);
});

test('what code defines is found in `__main__`, as by pickle, and nothing of the guest is', async () => {
  const [first, later] = await run(
    {},
    'import pickle\nclass Box:\n    side = 3\nkept = pickle.dumps(Box())\npickle.loads(kept).side',
    'import __main__\nprint(pickle.loads(kept).side, __main__.Box is Box, hasattr(__main__, "ForkServer"))',
  );
  expect([first?.stdout, later?.stdout]).toEqual(['3\n', '3 True False\n']);
});

test('the first image is a variable and a file, byte for byte; the others are files', async () => {
  const data = await smallPng();
  const [result] = await run(
    { images: [{ data }, { data, name: 'other.png' }], variables: { image: 'picture', file: 'picture.png' } },
    `import base64\nprint(picture.size, base64.b64encode(open("picture.png", "rb").read()).decode() == "${data}")\n${listing}`,
  );
  expect(result?.stdout).toBe("(28, 28) True\n['other.png', 'picture.png']\n");
});

test('an input image that code draws on is whole again after a failed call', async () => {
  const data = await smallPng();
  const [, after] = await run(
    { images: [{ data }] },
    'input_image.paste(0, (0, 0, 28, 28))\nopen("input_image.jpg", "w").close()\n1/0',
    'print(input_image.getextrema(), Image.open("input_image.jpg").size)',
  );
  expect(after?.stdout).toBe('(0, 252) (28, 28)\n');
});

test('a stateless session starts each call anew', async () => {
  const [first, second, third] = await run(
    { state: 'stateless' },
    'x = 1\nopen("a.txt", "w").close()\nprint("a")',
    listing,
    'print(x)',
  );
  expect(first).toMatchObject({ outcome: 'ok', stdout: 'a\n' });
  expect(second).toMatchObject({ outcome: 'ok', stdout: '[]\n' });
  expect(third).toMatchObject({ outcome: 'exception', error: { type: 'NameError' } });
});

test('the folder that code went to stays its own, also where a failed call removed it', async () => {
  const [, failed, after] = await run(
    {},
    'import os\nos.mkdir("deep")\nos.chdir("deep")',
    'import shutil\nshutil.rmtree("/sandbox/session")\n1/0',
    'print(os.getcwd())',
  );
  expect(failed?.outcome).toBe('exception');
  expect(after).toMatchObject({ outcome: 'ok', stdout: '/sandbox/session/deep\n' });
});

test('folders deeper than a path can be, and closed ones, are undone', async () => {
  const [, failed, after] = await run(
    {},
    'x = 1',
    'import os\nfor _ in range(1500):\n    os.mkdir("dd")\n    os.chdir("dd")\nos.mkdir("shut", 0)\n1/0',
    `print(x)\n${listing}`,
  );
  expect(failed?.outcome).toBe('exception');
  expect(after?.stdout).toBe('1\n[]\n');
});

test("the mode of the session's root folder is what it was before a call that failed", async () => {
  const [, failed, after] = await run(
    {},
    'import os\nos.chmod("/sandbox", 0o750)',
    'os.chmod("/sandbox", 0o500)\n1 / 0',
    'open("/sandbox/a.txt", "w").close()\nprint(oct(os.stat("/sandbox").st_mode))',
  );
  expect(failed?.outcome).toBe('exception');
  expect(after).toMatchObject({ outcome: 'ok', stdout: '0o40750\n' });
});

test('more than the folder can hold is an exception of the code', async () => {
  const [full, after] = await run({}, 'for i in range(10):\n    open(f"{i}", "wb").write(b"x" * 60_000_000)', listing);
  expect(full).toMatchObject({ outcome: 'exception', error: { type: 'OSError' } });
  expect(after?.stdout).toBe('[]\n');
});

test('a call may have less time than its session, but not more', async () => {
  const messages = await withSession({ limits: { callSeconds: 1 } }, async (session) => {
    const code = 'import time\ntime.sleep(30)';
    const less = await session.execute({ code, seconds: 0.25 });
    const more = await session.execute({ code, seconds: 20 });
    return [less.error?.message, more.error?.message];
  });
  expect(messages).toEqual(['the code ran longer than 0.25 seconds', 'the code ran longer than 1 seconds']);
});
