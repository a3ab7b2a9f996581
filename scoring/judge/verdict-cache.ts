import { hash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { z } from 'zod';
import { judgeSayings } from '../../domain/judge.ts';
import { type JudgeQuestion, promptVersionOf } from './judge-prompt.ts';
import { openVerdictJournal } from './verdict-journal.ts';

const cachedSchema = z.strictObject({
  key: z.string(),
  verdict: z.enum(judgeSayings),
  reason: z.string(),
  judge: z.string(),
  prompt: z.string(),
});
export type CachedVerdict = Pick<z.infer<typeof cachedSchema>, 'verdict' | 'reason'>;

/** What a verdict depends on, as SHA-256: judge, prompt, question, reference, answer. */
export const verdictKey = (judge: string, { question, reference, answer, kind = 'general' }: JudgeQuestion): string =>
  hash('sha256', JSON.stringify([promptVersionOf(kind), judge, question, reference, answer]));

type Journal = ReturnType<typeof openVerdictJournal>;

/** All judges of a process that keep their verdicts in one file share what is known of it. */
const journals = new Map<string, Journal>();

const journalIn = (folder: string): Journal => {
  const path = resolve(folder, 'verdicts.jsonl');
  const journal = journals.get(path) ?? openVerdictJournal(path);
  journals.set(path, journal);
  return journal;
};

/** Verdicts on disk, a line each in `<folder>/verdicts.jsonl`; without a folder nothing is kept. */
export const verdictCache = (folder: string | undefined, judge: string) => {
  const journal = folder === undefined ? undefined : journalIn(folder);
  return {
    find: async (key: string): Promise<CachedVerdict | undefined> => {
      const { data } = cachedSchema.safeParse(await journal?.find(key));
      return data && { verdict: data.verdict, reason: data.reason };
    },
    /** @throws what the file system throws. */
    keep: async (
      key: string,
      { kind = 'general' }: JudgeQuestion,
      { verdict, reason }: CachedVerdict,
    ): Promise<void> => {
      if (folder === undefined) return;
      const kept = { verdict, reason, judge, prompt: promptVersionOf(kind) };
      try {
        journal?.keep(key, kept);
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
        await mkdir(folder, { recursive: true });
        journal?.keep(key, kept);
      }
    },
  };
};
