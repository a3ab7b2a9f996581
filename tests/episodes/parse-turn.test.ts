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

const rules = { parser: 'tool-call', imageCall: { tool: 'look', before: '', after: '' } } as const;

test('a tool call comes out as it was written', () =>
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), fc.nat(), (code, description, image_index) => {
      const call = JSON.stringify({ name: 'look', arguments: { code, description, image_index } });
      fc.pre(!/<\/?(tool_call|answer)>/.test(call));
      expect(parseTurn(`So.<tool_call>\n${call}\n</tool_call>`, rules)).toEqual({
        code,
        answer: null,
        imageCall: { kind: 'call', imageIndex: image_index, description },
      });
    }),
  ));

test('whatever JSON stands between the marks is a call or is refused', () =>
  fc.assert(
    fc.property(fc.json(), (json) => {
      fc.pre(!/<\/?(tool_call|answer)>/.test(json));
      const { code, imageCall } = parseTurn(`<tool_call>${json}</tool_call>`, rules);
      expect([code, imageCall?.kind]).toEqual([json, 'refused']);
    }),
  ));
