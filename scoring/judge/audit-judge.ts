import { LensmithError } from '../../domain/errors.ts';
import type { AuditConfusion, JudgeAudit } from '../../domain/judge.ts';
import type { Asked } from './ask-judge.ts';
import { canStillPass, isHopeless, measure, measureSplits } from './audit-measures.ts';
import { type AuditSet, type LabelledAnswer, readAuditSet } from './audit-pairs.ts';
import type { JudgeClient } from './judge-client.ts';
import { judgePromptVersion } from './judge-prompt.ts';

export interface AuditOptions {
  /** @default the set of ours */
  readonly set?: AuditSet;
  /** Stops as soon as the audit cannot be passed any more, or is far from it. @default false */
  readonly stopWhenLost?: boolean;
  /** Pairs that are asked at once. @default 16 */
  readonly inFlight?: number;
  readonly onProgress?: (asked: number, pairs: number) => void;
}

const none = (): AuditConfusion => ({ correct: 0, wrong: 0, 'cannot tell': 0, 'no verdict': 0 });

const saidOf = (asked: Asked): keyof AuditConfusion => (asked.kind === 'verdict' ? asked.verdict : 'no verdict');

/** An outage says nothing of the judge: the audit is not finished, rather than failed. */
const refuseOutage = (asked: Asked, where: string): void => {
  if (asked.kind === 'outage')
    throw new LensmithError('infrastructure', `the audit could not be finished: ${asked.reason}`, { where });
  if (asked.kind === 'refused')
    throw new LensmithError(asked.type, `the audit could not be finished: ${asked.reason}`, { where });
};

/**
 * Asks a judge about labelled answers, without the guard that stands before it in grading, and counts where it says what
 * the labels say.
 *
 * @throws LensmithError `infrastructure` where the judge is away, `auth` or `config` where its servers refuse.
 */
export const auditJudge = async (client: JudgeClient, options: AuditOptions = {}): Promise<JudgeAudit> => {
  const { stopWhenLost = false, inFlight = 16, onProgress } = options;
  const { pairs, digest } = options.set ?? (await readAuditSet());
  const said = new Map<string, { asked: Asked; pair: LabelledAnswer }>();
  const disagreed = new Set<string>();
  const queue = pairs.values();
  let over = false;
  let failure: unknown;

  const askNext = async (): Promise<void> => {
    for (const pair of queue) {
      const { question, reference, answer, kind } = pair;
      const asked = await client.ask({ question, reference, answer, kind });
      refuseOutage(asked, client.id);
      said.set(pair.id, { asked, pair });
      if (saidOf(asked) !== pair.label) disagreed.add(pair.id);
      onProgress?.(said.size, pairs.length);
      over ||= stopWhenLost && (isHopeless(said.size, said.size - disagreed.size) || !canStillPass(pairs, disagreed));
      if (over) return;
    }
  };
  await Promise.all(
    Array.from({ length: inFlight }, () =>
      askNext().catch((error: unknown) => {
        failure ??= error;
        over = true;
      }),
    ),
  );
  if (failure) throw failure;

  // In the order of the file and not of the replies.
  const answered = pairs.flatMap(({ id }) => said.get(id) ?? []);
  const agreed = new Set(answered.flatMap(({ pair }) => (disagreed.has(pair.id) ? [] : [pair.id])));
  const confusion = { correct: none(), wrong: none() };
  for (const { asked, pair } of answered) confusion[pair.label][saidOf(asked)] += 1;
  const measures = measure(
    answered.map(({ pair }) => pair),
    agreed,
    pairs,
  );
  return {
    version: 1,
    judge: client.id,
    prompts: judgePromptVersion,
    auditSet: digest,
    at: new Date().toISOString(),
    pairs: pairs.length,
    asked: answered.length,
    passed: answered.length === pairs.length && measures.every(({ passed }) => passed),
    measures,
    splits: measureSplits(
      answered.map(({ pair }) => pair),
      agreed,
    ),
    confusion,
    disagreements: answered
      .filter(({ pair }) => disagreed.has(pair.id))
      .map(({ asked, pair }) => ({
        id: pair.id,
        label: pair.label,
        said: saidOf(asked),
        reason: asked.reason,
      })),
  };
};
