import { LensmithError } from '../../domain/errors.ts';
import type { JudgeAudit, JudgeAuditPolicy, JudgeStanding } from '../../domain/judge.ts';
import { guardAnswer, isGrade } from './answer-guard.ts';
import { findAudit, keepAudit } from './audit-file.ts';
import { auditJudge } from './audit-judge.ts';
import { type AuditSet, readAuditSet } from './audit-pairs.ts';
import { awaitedGrade, type Judge, type JudgeClient, type JudgeGrade } from './judge-client.ts';
import { judgePromptVersion } from './judge-prompt.ts';
import { within } from './within.ts';

export interface AuditedJudgeOptions {
  readonly client: JudgeClient;
  readonly policy: JudgeAuditPolicy;
  /** Folder that keeps the audits of all judges. */
  readonly folder: string;
  readonly set?: AuditSet;
  /** Milliseconds before an audit that an outage has ended is tried again. @default 30000 */
  readonly againMs?: number;
  /** Milliseconds that an answer waits for an audit that is under way; then it is `judge_failed`. @default without end */
  readonly auditWaitMs?: number;
}

/** A judge that decides only as its audit allows, and how it stands. */
export interface AuditedJudge {
  readonly judge: Judge;
  /** How it stands now; an audit that was kept earlier counts, and none is made. */
  readonly standing: () => Promise<JudgeStanding>;
}

/** What the servers of a judge are asked at once is bounded by its client. */
const auditInFlight = 32;

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** The measures that fell short, or all of them, in a line. */
export const auditNote = ({ measures, passed, asked, pairs, disagreements }: JudgeAudit): string => {
  const told = measures.filter((measure) => passed || !measure.passed);
  const figures = told.map(
    ({ name, share, low, high, required }) =>
      `${name} ${percent(share)} [${percent(low)}, ${percent(high)}], at least ${percent(required)} required of the lower end`,
  );
  const [silent, ...others] = disagreements.filter(({ said }) => said === 'no verdict');
  const silence = silent ? `; ${others.length + 1} replies were no verdict, the first: ${silent.reason}` : '';
  return `${asked === pairs ? `on ${pairs} pairs` : `stopped after ${asked} of ${pairs} pairs`}: ${figures.join('; ')}${passed ? '' : silence}`;
};

/**
 * Puts the audit before a judge. It is made when the first answer needs the judge, stops when it is lost, and is kept by
 * judge and prompts. Until it is passed an answer is `judge_failed` under `required`.
 */
export const auditedJudge = ({
  client,
  policy,
  folder,
  set,
  againMs = 30_000,
  auditWaitMs,
}: AuditedJudgeOptions): AuditedJudge => {
  let pairs: Promise<AuditSet> | undefined;
  let running: Promise<JudgeAudit> | undefined;
  let outage: { readonly message: string; readonly at: number } | undefined;

  const setOf = (): Promise<AuditSet> => {
    pairs ??= set ? Promise.resolve(set) : readAuditSet();
    return pairs;
  };

  const audit = async (): Promise<JudgeAudit> => {
    const labelled = await setOf();
    const known = await findAudit(folder, client.id, labelled.digest);
    if (known) return known;
    const made = await auditJudge(client, { set: labelled, stopWhenLost: true, inFlight: auditInFlight });
    await keepAudit(folder, made);
    return made;
  };

  /** The audit, or why it could not be finished. Episodes that end together share it. */
  const result = async (): Promise<JudgeAudit | string> => {
    if (outage && performance.now() - outage.at < againMs) return outage.message;
    running ??= audit();
    try {
      return await running;
    } catch (error) {
      running = undefined;
      if (!(error instanceof LensmithError)) throw error;
      outage = { message: error.message, at: performance.now() };
      return error.message;
    }
  };

  /** The result, or after the time that an answer may wait for it, that there is none yet. */
  const resultInTime = (): Promise<JudgeAudit | string> =>
    auditWaitMs === undefined ? result() : within(auditWaitMs, result(), 'its audit is under way');

  const refusal = async (): Promise<JudgeGrade | undefined> => {
    if (policy === 'off') return undefined;
    const found = await resultInTime();
    if (typeof found === 'string') return awaitedGrade(`the judge ${client.id} was not asked: ${found}`);
    if (found.passed || policy === 'force') return undefined;
    return {
      verdict: 'judge_failed',
      decidedBy: 'none',
      reason: `the judge ${client.id} was not asked, it failed its audit ${auditNote(found)}; once it is mended, lensmith judge audit makes it anew`,
    };
  };

  const standing = async (): Promise<JudgeStanding> => {
    const base = { id: client.id, prompts: judgePromptVersion, policy };
    if (policy === 'off') return { ...base, audit: 'off', decides: true, note: 'it decided without an audit' };
    if (outage && !running) return { ...base, audit: 'unfinished', decides: false, note: outage.message };
    const known = await (running ?? findAudit(folder, client.id, (await setOf()).digest));
    if (!known)
      return {
        ...base,
        audit: 'not_needed',
        decides: false,
        note: 'no answer of now needed it, so it was not audited',
      };
    if (known.passed) return { ...base, audit: 'passed', decides: true, note: auditNote(known) };
    return policy === 'force'
      ? { ...base, audit: 'failed', decides: true, note: `forced to decide, ${auditNote(known)}` }
      : { ...base, audit: 'failed', decides: false, note: `refused, ${auditNote(known)}` };
  };

  return {
    judge: async (question) => {
      // What the guard decides needs no judge, and no audit.
      const guarded = guardAnswer(question);
      return isGrade(guarded) ? guarded : ((await refusal()) ?? client.judge(question));
    },
    standing,
  };
};
