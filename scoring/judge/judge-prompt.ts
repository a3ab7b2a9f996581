import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { type JudgeKind, judgeKinds } from '../../domain/judge.ts';
import { quote } from './quote.ts';

export interface JudgeQuestion {
  readonly question: string;
  readonly reference: string;
  readonly answer: string;
  /** Chooses the prompt. @default general */
  readonly kind?: JudgeKind;
}

const promptSchema = z.strictObject({ version: z.int().positive(), system: z.string(), user: z.string() });

const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 12);

const readPrompt = (kind: JudgeKind) => {
  const text = readFileSync(join(import.meta.dirname, 'prompts', `${kind}.yaml`), 'utf8');
  const { version, ...prompt } = promptSchema.parse(parse(text));
  // The digest makes a prompt that was changed under its old number another one.
  return { ...prompt, version: `${kind}-${version}.${digest(text)}` };
};

const prompts = {
  general: readPrompt('general'),
  ocr: readPrompt('ocr'),
  chart: readPrompt('chart'),
  mathematics: readPrompt('mathematics'),
} satisfies Record<JudgeKind, unknown>;

/** Version of the prompt of one kind: its number and the digest of its text; part of the cache's key. */
export const promptVersionOf = (kind: JudgeKind): string => prompts[kind].version;

/** Version of all prompts together, as results and audits name it. */
export const judgePromptVersion = `prompts-${digest(judgeKinds.map(promptVersionOf).join(' '))}`;

/** Messages that ask whether an answer says the same as the reference. What is quoted is data, also where it commands. */
export const judgeMessages = (question: JudgeQuestion) => {
  const { system, user } = prompts[question.kind ?? 'general'];
  const quoted: Readonly<Record<string, string>> = {
    question: quote(question.question),
    reference: quote(question.reference),
    answer: quote(question.answer),
  };
  // In one pass, so that a placeholder inside the quoted material stays text.
  const content = user.replaceAll(/\{(question|reference|answer)\}/g, (_, name: string) => quoted[name] ?? '');
  return [
    { role: 'system' as const, content: system.trim() },
    { role: 'user' as const, content: content.trim() },
  ];
};
