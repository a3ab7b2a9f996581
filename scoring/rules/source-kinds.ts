import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { type AnswerKind, answerKinds } from '../../domain/answer-kind.ts';

const kind = z.enum(answerKinds);

const tableSchema = z.strictObject({
  version: z.int().positive(),
  sources: z.array(z.strictObject({ kinds: z.array(kind).min(1), names: z.array(z.string()).min(1) })),
  parts: z.array(z.string()),
  styles: z.record(z.string(), kind),
});

const table = tableSchema.parse(parse(readFileSync(join(import.meta.dirname, 'source-kinds.yaml'), 'utf8')));

/** Part of the version of all scoring. */
export const sourceKindsVersion = `kinds-${table.version}`;

const joined = (words: readonly string[]): string => words.join('');

const kindsByName = new Map(
  table.sources.flatMap(({ kinds, names }) => names.map((name) => [joined(name.split(' ')), kinds] as const)),
);
const parts = new Set(table.parts);

/** `lmms-lab/DocVQA_val` as `docvqa`, `val`; a capital inside a word begins none, for names are written in many ways. */
const wordsOf = (dataSource: string): string[] =>
  (dataSource.split('/').at(-1) ?? '')
    .normalize('NFKC')
    .toLowerCase()
    .replaceAll(/\bv\s*\*/g, 'vstar')
    .split(/[^\p{L}\p{N}]+/u)
    .filter(Boolean);

const isPart = (word: string): boolean => parts.has(word) || /^v?\d+[kp]?$/.test(word) || /^rot(?:ate)?\d+$/.test(word);

/**
 * The kinds of answer of a published data set, of which the first that fits a row's reference counts; undefined for one
 * that the table does not have. Its name may stand behind an owner and before words that name a part of it:
 * `lmms-lab/DocVQA`, `chartqa_test`, `HR-Bench-4K`.
 */
export const kindsOfSource = (dataSource: string): readonly AnswerKind[] | undefined => {
  const words = wordsOf(dataSource);
  for (let length = words.length; length > 0; length -= 1) {
    if (!words.slice(length).every(isPart)) return undefined;
    const kinds = kindsByName.get(joined(words.slice(0, length)));
    if (kinds) return kinds;
  }
  return undefined;
};

/** The kind that a row's `reward_model.style` names; undefined for `rule`, `model` and others that name none. */
export const kindOfStyle = (style: string): AnswerKind | undefined => {
  const plain = style.trim().toLowerCase();
  return kind.safeParse(plain).data ?? table.styles[plain];
};
