import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { judgeSayings } from '../../domain/judge.ts';
import { type JudgeQuestion, promptVersionOf } from './judge-prompt.ts';

const cachedSchema = z.strictObject({
  verdict: z.enum(judgeSayings),
  reason: z.string(),
  judge: z.string(),
  prompt: z.string(),
});
export type CachedVerdict = Pick<z.infer<typeof cachedSchema>, 'verdict' | 'reason'>;

/** What a verdict depends on, as SHA-256: judge, prompt, question, reference, answer. */
export const verdictKey = (judge: string, { question, reference, answer, kind = 'general' }: JudgeQuestion): string =>
  createHash('sha256')
    .update(JSON.stringify([promptVersionOf(kind), judge, question, reference, answer]))
    .digest('hex');

const read = async (path: string): Promise<CachedVerdict | undefined> => {
  // Most are not there, and a thread takes many times longer to say so than the look itself.
  if (!existsSync(path)) return undefined;
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    return cachedSchema.safeParse(JSON.parse(text)).data;
  } catch {
    // A torn file of the cache costs one more question.
    return undefined;
  }
};

/** Verdicts on disk, a file each; without a folder nothing is kept. */
export const verdictCache = (folder: string | undefined, judge: string) => {
  let made: Promise<unknown> | undefined;
  const make = (path: string): Promise<unknown> => {
    made ??= mkdir(path, { recursive: true }).catch((error: unknown) => {
      made = undefined;
      throw error;
    });
    return made;
  };
  return {
    find: async (key: string): Promise<CachedVerdict | undefined> =>
      folder === undefined ? undefined : read(join(folder, `${key}.json`)),
    keep: async (
      key: string,
      { kind = 'general' }: JudgeQuestion,
      { verdict, reason }: CachedVerdict,
    ): Promise<void> => {
      if (folder === undefined) return;
      const kept: z.infer<typeof cachedSchema> = { verdict, reason, judge, prompt: promptVersionOf(kind) };
      await make(folder);
      // Neither flushed nor renamed into its place: both cost more than the question that a torn file costs.
      await writeFile(join(folder, `${key}.json`), `${JSON.stringify(kept)}\n`);
    },
  };
};
