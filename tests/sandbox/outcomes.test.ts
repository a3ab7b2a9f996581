import { expect, test } from 'vitest';
import { sharedSandbox } from './shared-sandbox.ts';

const { run } = sharedSandbox();

test('printed text and the value of a last expression are output', async () => {
  const [result] = await run({}, 'x = 20\nprint("first")\nx + 1');
  expect(result).toMatchObject({ outcome: 'ok', stdout: 'first\n21\n', images: [], error: null });
  expect(result?.isolation).toBe('namespaces');
});

test('code that shows nothing is no_output', async () => {
  const [nothing, none] = await run({}, 'x = 1', 'None');
  expect([nothing?.outcome, none?.outcome]).toEqual(['no_output', 'no_output']);
});

test('an exception has its class, message and line, and frames of the code only', async () => {
  const [result] = await run({}, 'print("before")\ndef f():\n    return {}["key"]\n\nf()');
  expect(result).toMatchObject({ outcome: 'exception', stdout: 'before\n', images: [] });
  expect(result?.error).toMatchObject({ type: 'KeyError', message: "'key'", line: 3 });
  expect(result?.error?.traceback).toBe("  line 5, in <module>\n  line 3, in f\nKeyError: 'key'");
});

test('a SyntaxError names its line', async () => {
  const [result] = await run({}, 'x = 1\nif x\n    pass');
  expect(result).toMatchObject({ outcome: 'exception', error: { type: 'SyntaxError', line: 2 } });
});

test('a SyntaxError of a text that the code compiles itself names the line of the code', async () => {
  const [result] = await run({}, 'x = 1\n\neval("1 +")');
  expect(result).toMatchObject({ outcome: 'exception', error: { type: 'SyntaxError', line: 3 } });
});

test.each([
  ['exit()', 'SystemExit', /answer instead/],
  ['import sys\nsys.exit(0)', 'SystemExit', /answer instead/],
  ['input("name? ")', 'EOFError', /nobody is there/],
  ['import os\nos._exit(3)', 'SystemExit', /exit code 3/],
  ['import ctypes\nctypes.string_at(0)', 'Crash', /signal 11/],
  ['def f():\n    f()\nf()', 'RecursionError', /recursion/],
  ['raise KeyboardInterrupt', 'KeyboardInterrupt', /^$/],
  ['class E(Exception):\n    def __str__(self):\n        raise ValueError\nraise E', 'E', /cannot be printed/],
])('%j is an exception of type %s, and the session goes on', async (code, type, message) => {
  const [result, next] = await run({}, code, 'print("here")');
  expect(result).toMatchObject({ outcome: 'exception', error: { type } });
  expect(result?.error?.message).toMatch(message);
  expect(next).toMatchObject({ outcome: 'ok', stdout: 'here\n' });
});

test('a memory bomb is a memory outcome, also where the allocation is native code', async () => {
  const options = { limits: { memoryMib: 128 } };
  const results = await run(options, 'b"x" * 10**10', 'np.ones(10**9)', '[bytearray(2**20) for _ in range(2000)]', '1');
  expect(results.map(({ outcome }) => outcome)).toEqual(['memory', 'memory', 'memory', 'ok']);
});

test('code that keeps all of its memory after a call that went well has the next one tell of it', async () => {
  const fill = `kept, size = [], 1 << 22
while size > 2:
    try:
        while True:
            kept.append(bytes(size))
    except MemoryError:
        size >>= 1`;
  const results = await run({ limits: { memoryMib: 128 } }, fill, 'print(1)', 'print(2)');
  expect(results.map(({ outcome }) => outcome)).toEqual(['no_output', 'memory', 'ok']);
  expect(results[1]?.error?.message).toContain('its variables are gone');
});

test('a flood of output keeps its head and its tail', async () => {
  const options = { limits: { outputCharacters: 100 } };
  const [result] = await run(options, 'print("START")\nfor i in range(200_000):\n    print(i)\nprint("END")');
  expect(result?.stdout).toMatch(/^START\n0\n1\n[\s\S]*…[\s\S]*199999\nEND\n$/);
  expect(result?.stdout).toHaveLength(100);
});

test('an error message as long as a book is capped', async () => {
  const [result] = await run({ limits: { outputCharacters: 100 } }, 'raise ValueError("x" * 10**6)');
  expect(result?.error?.message.length).toBeLessThanOrEqual(100);
  expect(result?.error?.traceback.length).toBeLessThanOrEqual(100);
});

test('what code writes to stderr is apart from stdout', async () => {
  const [result] = await run({}, 'import sys\nprint("out")\nprint("err", file=sys.stderr)');
  expect(result).toMatchObject({ outcome: 'ok', stdout: 'out\n', stderr: 'err\n' });
});

test.each([
  ['sys.stdout.reconfigure(encoding="utf-8")\nprint(sys.stdout.encoding)', 'utf-8\n'],
  ['sys.stdout.buffer.write("é".encode())\nNone', 'é'],
  ['sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8")\nprint("é")\n7', 'é\n7\n'],
  ['sys.stdout = io.TextIOWrapper(sys.stdout.detach(), encoding="utf-8")\nprint("é")\n1 / 0', 'é\n'],
  ['print("open")\nsys.stdout.close()', 'open\n'],
])('the stream of a call is a standard one: %s', async (code, stdout) => {
  const [result, after] = await run({}, `import io, sys\n${code}`, 'print("later", flush=True)');
  expect(result?.stdout).toBe(stdout);
  expect(after).toMatchObject({ outcome: 'ok', stdout: 'later\n' });
});

test('a character of which a call writes a part does not reach into the next call', async () => {
  const [, after] = await run(
    {},
    'import sys\nwritten = sys.stdout.buffer.write(b"\\xc3")',
    'written = sys.stdout.buffer.write(b"x")',
  );
  expect(after).toMatchObject({ outcome: 'ok', stdout: 'x' });
});

test('code without a stream fails by its own exception', async () => {
  const [result] = await run({}, 'import sys\ndel sys.stdout\nraise ValueError("own")');
  expect(result).toMatchObject({ outcome: 'exception', error: { type: 'ValueError', message: 'own' } });
});

test('streams and functions kept from an earlier call show in the later one', async () => {
  const [, later] = await run(
    {},
    'import sys\nfrom matplotlib.pyplot import show, plot\nkept, kept_display = sys.stdout, display',
    'kept.write("late\\n")\nkept_display(7)\nplot([1, 2])\nshow()',
  );
  expect(later).toMatchObject({ outcome: 'ok', stdout: 'late\n7\n' });
  expect(later?.images).toHaveLength(1);
});
