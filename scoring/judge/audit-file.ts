import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type JudgeAudit, judgeAuditSchema } from '../../domain/judge.ts';
import { writeFileAtomic } from '../../processes/atomic-file.ts';
import { judgePromptVersion } from './judge-prompt.ts';

/** Audits are kept by judge and prompts: another model or another prompt is another judge. */
const auditPath = (folder: string, judge: string): string =>
  join(folder, `${judge.replaceAll(/[^A-Za-z0-9._@-]+/g, '-')}.${judgePromptVersion}.json`);

/** The audit of a judge with the prompts and the pairs of now; undefined where there is none. */
export const findAudit = async (folder: string, judge: string, auditSet: string): Promise<JudgeAudit | undefined> => {
  const text = await readFile(auditPath(folder, judge), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const { data } = judgeAuditSchema.safeParse(JSON.parse(text));
    // Two judges whose ids differ only in marks share a file name.
    return data?.judge === judge && data.auditSet === auditSet ? data : undefined;
  } catch {
    // A torn file costs one more audit.
    return undefined;
  }
};

/** Keeps an audit; returns its file. */
export const keepAudit = async (folder: string, audit: JudgeAudit): Promise<string> => {
  await mkdir(folder, { recursive: true });
  const path = auditPath(folder, audit.judge);
  await writeFileAtomic(path, `${JSON.stringify(audit, null, 2)}\n`);
  return path;
};
