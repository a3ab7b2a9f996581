import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { malformedCall } from '../../episodes/parse-tool-call.ts';
import { parseTurn } from '../../episodes/parse-turn.ts';

const goldenSchema = z.array(
  z.strictObject({
    parser: z.enum(['code-fence', 'code-or-fence', 'tool-call']),
    text: z.string(),
    code: z.string().nullable(),
    answer: z.string().nullable(),
    imageIndex: z.int().optional(),
    description: z.string().optional(),
    refused: z.boolean().optional(),
  }),
);

const file = join(import.meta.dirname, '../golden/turns.json');
const turns = goldenSchema.parse(JSON.parse(await readFile(file, 'utf8')));

test.each(turns)('$parser reads $text', ({ parser, text, code, answer, imageIndex, description, refused }) => {
  const imageCall = parser === 'tool-call' ? { tool: 't', before: '', after: '' } : undefined;
  const parsed = parseTurn(text, imageCall ? { parser, imageCall } : { parser });
  const named = imageIndex === undefined ? {} : { imageCall: { kind: 'call', imageIndex, description } };
  const expected = refused ? { imageCall: { kind: 'refused', message: malformedCall('t') } } : named;
  expect(parsed).toEqual({ code, answer, ...expected });
});
