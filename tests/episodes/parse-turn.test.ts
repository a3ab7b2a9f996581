import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseTurn } from '../../episodes/parse-turn.ts';

const fence = (code: string): string => `<code>\n\`\`\`python\n${code}\n\`\`\`\n</code>`;

test.each([
  ['a bare fence is no code', '```python\nprint(1)\n```', null, null],
  ['a fence of another language is no code', '<code>\n```sh\nls\n```\n</code>', null, null],
  ['code that is cut off is no code', '<code>\n```python\nprint(1)', null, null],
  ['the first code counts', `${fence('print(1)')} ${fence('print(2)')}`, 'print(1)', null],
  ['an empty answer is an answer', '<answer></answer>', null, ''],
  ['an answer inside another begins at the inner mark', '<answer>a<answer>b</answer>', null, 'b'],
  ['an answer wins over code', `${fence('print(1)')}<answer>1</answer>`, null, '1'],
])('%s', (_, text, code, answer) => expect(parseTurn(text)).toEqual({ code, answer }));

test('code comes out as it was written', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (code) => {
      fc.pre(!code.includes('```') && !code.includes('<answer>'));
      expect(parseTurn(`Let me see. ${fence(code)}`)).toEqual({ code, answer: null });
    }),
  ));

test('any text is read, and never as both', () =>
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('<code>', '</code>', '```python\n', '```', '<answer>', '</answer>', '\n', 'x')),
      (pieces) => {
        const { code, answer } = parseTurn(pieces.join(''));
        expect(code === null || answer === null).toBe(true);
      },
    ),
  ));
