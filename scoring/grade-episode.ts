import type { Episode, EpisodeEnding } from '../domain/episode.ts';
import type { Grade, Verdict } from '../domain/verdict.ts';
import { answerKindOfTask } from './answer-kind-of.ts';
import type { Judge, JudgeGrade } from './judge/judge-client.ts';
import { judgePromptVersion } from './judge/judge-prompt.ts';
import { extractAnswer } from './rules/extract-answer.ts';
import { applyRule, kindRules } from './rules/kinds.ts';
import type { MathWorker } from './rules/math-comparison.ts';
import { sharedMathWorker } from './rules/shared-math-worker.ts';
import { sourceKindsVersion } from './rules/source-kinds.ts';

/** Part of every result's fingerprint; raised when a rule or the judge's prompt decides differently. */
export const scoringVersion = `rules-6 ${sourceKindsVersion} ${judgePromptVersion}`;

export interface GradeTools {
  readonly judge?: Judge;
  /** @default the worker of this process */
  readonly math?: MathWorker;
}

const verdictOfEnding: Record<Exclude<EpisodeEnding, 'answered'>, Verdict> = {
  turn_limit: 'limit',
  context_limit: 'limit',
  time_limit: 'limit',
  model_error: 'infra_error',
  sandbox_error: 'infra_error',
  data_error: 'infra_error',
};

/**
 * Grades an episode: its ending first, then the rule of its kind of answer, then the judge where the rule cannot tell.
 * Without a judge that decides an answer that was read is `judge_failed`, one in which the rule found nothing to compare is
 * `unparsed`, and one whose rule's tool is away is `infra_error`; none of them is wrong.
 */
export const gradeEpisode = async (episode: Episode, tools: GradeTools = {}): Promise<Grade> => {
  // The same episode has the same grade, whether or not the judge was asked about it before.
  const { cached: _, awaitsJudge: __, ...grade } = await decideEpisode(episode, tools);
  return grade;
};

/** As `gradeEpisode`, with whether the judge had to be asked, or may still decide. */
export const decideEpisode = async (episode: Episode, { judge, math }: GradeTools = {}): Promise<JudgeGrade> => {
  const { ending, task } = episode;
  if (ending !== 'answered')
    return { verdict: verdictOfEnding[ending], decidedBy: 'none', reason: `the episode ended as ${ending}` };
  const extraction =
    episode.answer === null
      ? extractAnswer(episode.turns.at(-1)?.text ?? '')
      : ({ found: true, text: episode.answer } as const);
  if (!extraction.found)
    return {
      verdict: 'unparsed',
      decidedBy: 'rule',
      reason: `no complete <answer> in the reply: ${extraction.reason}`,
    };
  const { question, reference } = task;
  const answerKind = answerKindOfTask(task);
  const { rule } = kindRules[answerKind];
  const answer = extraction.text;
  const decision = await applyRule(answerKind, { question, reference, answer }, () => math ?? sharedMathWorker());
  if (decision.decided)
    return { verdict: decision.correct ? 'correct' : 'wrong', decidedBy: 'rule', reason: decision.reason, rule };
  if (judge) {
    const grade = await judge({ question, reference, answer });
    // What a rule cannot read and no judge may decide is no outage: it says something about the answer.
    if (grade.verdict === 'judge_failed' && !grade.awaitsJudge && !('outage' in decision) && !decision.parsed)
      return { verdict: 'unparsed', decidedBy: 'rule', reason: `${decision.reason}; ${grade.reason}`, rule };
    return { ...grade, rule };
  }
  if ('outage' in decision) return { verdict: 'infra_error', decidedBy: 'none', reason: decision.reason, rule };
  return decision.parsed
    ? { verdict: 'judge_failed', decidedBy: 'none', reason: `${decision.reason}, and there is no judge`, rule }
    : { verdict: 'unparsed', decidedBy: 'rule', reason: decision.reason, rule };
};
