import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { LensmithError } from '../../domain/errors.ts';
import { auditSplits, judgeKinds } from '../../domain/judge.ts';

const pairSchema = z.strictObject({
  id: z.string(),
  kind: z.enum(judgeKinds),
  question: z.string(),
  reference: z.string(),
  answer: z.string(),
  label: z.enum(['correct', 'wrong']),
  /** What is tried on the judge; absent where nothing is. */
  trick: z.string().optional(),
  /** `held-out` pairs were not looked at while the prompts were written; of those, what a judge shows is to be expected. */
  split: z.enum(auditSplits).default('design'),
});
/** An answer with the verdict that a person gave it. */
export type LabelledAnswer = z.infer<typeof pairSchema>;

export interface AuditSet {
  readonly pairs: readonly LabelledAnswer[];
  /** SHA-256 of the file, its first characters. */
  readonly digest: string;
}

/**
 * Reads labelled answers, one JSON object a line; ours without a path.
 *
 * @throws LensmithError `data` naming the line that does not fit, `config` for a file that cannot be read.
 */
export const readAuditSet = async (path = join(import.meta.dirname, 'audit.jsonl')): Promise<AuditSet> => {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new LensmithError('config', `expected a readable file of labelled answers: ${String(cause)}`, {
      where: path,
      cause,
    });
  });
  const pairs = text
    .trim()
    .split('\n')
    .map((line, index) => {
      try {
        return pairSchema.parse(JSON.parse(line));
      } catch (cause) {
        throw new LensmithError('data', `expected a labelled answer, got ${line.slice(0, 100)}: ${String(cause)}`, {
          where: `${path}:${index + 1}`,
          cause,
        });
      }
    });
  const lines = new Map<string, number>();
  pairs.forEach(({ id }, index) => {
    const first = lines.get(id);
    if (first !== undefined)
      throw new LensmithError('data', `expected an id of its own, got "${id}" as in line ${first}`, {
        where: `${path}:${index + 1}`,
      });
    lines.set(id, index + 1);
  });
  return { pairs, digest: createHash('sha256').update(text).digest('hex').slice(0, 12) };
};
