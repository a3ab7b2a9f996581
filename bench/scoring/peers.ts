import { execFile } from 'node:child_process';
import { mkdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { execa } from 'execa';
import { z } from 'zod';
import { referenceForms } from '../../scoring/rules/document-rule.ts';
import { extractAnswer } from '../../scoring/rules/extract-answer.ts';
import { plainText } from '../../scoring/rules/plain-text.ts';
import type { GoldenAnswer } from '../../tests/support/golden-answers.ts';

const run = promisify(execFile);
const lmmsEvalVersion = '0.7.3';

export interface Peer {
  readonly name: 'lmms-eval' | 'vlmevalkit';
  readonly source: string;
}

/** The files of lmms-eval's wheel, without its dependencies. */
export const fetchLmmsEval = async (cache: string, python: string): Promise<Peer> => {
  const source = join(cache, `lmms-eval-${lmmsEvalVersion}`);
  if (!(await stat(join(source, 'lmms_eval')).catch(() => undefined))) {
    await mkdir(cache, { recursive: true });
    const options = ['-m', 'pip', 'install', '-q', '--no-deps', '--target', source];
    await run(python, [...options, `lmms-eval==${lmmsEvalVersion}`], { timeout: 300_000 });
  }
  return { name: 'lmms-eval', source };
};

/** Kinds of answers for which the peers have a rule of their own. */
export const sharedKinds: ReadonlySet<string> = new Set(['choice', 'chart', 'count', 'document', 'ocr']);

const letters = 'ABCDEFGH';

/**
 * A row as the peers take it: the text inside the marks, for theirs are other ones; undefined where their rules do
 * not apply, which is a choice whose reference is no single letter.
 */
export const peerRow = ({ kind, reference, reply, options }: GoldenAnswer): Record<string, unknown> | undefined => {
  if (!sharedKinds.has(kind)) return undefined;
  if (kind === 'choice' && !/^[A-E]$/.test(reference)) return undefined;
  const extraction = extractAnswer(reply);
  const answer = extraction.found && extraction.by === 'marks' ? extraction.text : reply;
  const texts = options ?? ['', '', '', '', ''].map((_, index) => `option ${index + 1} of five`);
  const choices = Object.fromEntries(texts.map((text, index) => [letters[index], text]));
  return { kind, reference: plainText(reference), answer, choices, forms: referenceForms(reference) };
};

const lineSchema = z.union([z.strictObject({ outcome: z.string() }), z.strictObject({ seconds: z.number() })]);

/** What a peer decides for each row, and the processor seconds that all rows take it, so often repeated. */
export const askPeer = async (
  { name, source }: Peer,
  rows: readonly Record<string, unknown>[],
  { python, repeats }: { python: string; repeats: number },
): Promise<{ outcomes: string[]; seconds: number }> => {
  const { stdout } = await execa(python, ['-I', join(import.meta.dirname, 'peer.py'), name, source, String(repeats)], {
    input: rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    timeout: 300_000,
  });
  const lines = stdout
    .trim()
    .split('\n')
    .map((line) => lineSchema.parse(JSON.parse(line)));
  return {
    outcomes: lines.flatMap((line) => ('outcome' in line ? [line.outcome] : [])),
    seconds: lines.reduce((sum, line) => sum + ('seconds' in line ? line.seconds : 0), 0),
  };
};
