import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type CallOutcome, callOutcomes, type SessionOptions } from '../../domain/sandbox.ts';
import { sharedSandbox } from './shared-sandbox.ts';

const { withSession } = sharedSandbox();

test('any text as code has a typed outcome', { timeout: 120_000 }, async () => {
  const options: SessionOptions = { limits: { callSeconds: 2, memoryMib: 128, outputCharacters: 500 } };
  const words = fc.constantFrom(...'x = ( ) : print lambda " 1 0 / def [ ] \\ None'.split(' '), '\n', '    ');
  const code = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.array(words, { maxLength: 40 }).map((parts) => parts.join(' ')),
    fc.nat({ max: 100_000 }).map((depth) => '('.repeat(depth)),
    fc.string({ unit: 'grapheme' }).map((text) => `print(${JSON.stringify(text)})`),
    fc.array(fc.nat({ max: 0xffff }), { maxLength: 20 }).map((units) => String.fromCharCode(...units)),
  );
  const allowed: readonly CallOutcome[] = callOutcomes.filter((outcome) => outcome !== 'infrastructure');
  await withSession(options, async (session) => {
    await fc.assert(
      fc.asyncProperty(code, async (text) => {
        const result = await session.execute({ code: text });
        expect(allowed).toContain(result.outcome);
        expect(result.error === null).toBe(result.outcome === 'ok' || result.outcome === 'no_output');
      }),
      { numRuns: 60 },
    );
    expect(await session.execute({ code: 'print("here")' })).toMatchObject({ outcome: 'ok', stdout: 'here\n' });
  });
});
