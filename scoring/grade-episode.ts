import type { Episode, EpisodeEnding } from '../domain/episode.ts';
import type { Grade, Verdict } from '../domain/verdict.ts';
import type { Judge } from './judge/judge-client.ts';
import { judgePromptVersion } from './judge/judge-prompt.ts';
import { choiceRule } from './rules/choice-rule.ts';
import { numberRule } from './rules/number-rule.ts';
import type { RuleDecision } from './rules/rule.ts';
import { textRule } from './rules/text-rule.ts';

/** Part of every result's fingerprint; raised when a rule or the judge's prompt decides differently. */
export const scoringVersion = `rules-3 ${judgePromptVersion}`;

const rules: Record<Episode['task']['answerKind'], (reference: string, answer: string) => RuleDecision> = {
  number: numberRule,
  choice: choiceRule,
  text: textRule,
};

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
 * Without a judge such an answer is `judge_failed`, never wrong.
 */
export const gradeEpisode = async (episode: Episode, { judge }: { judge?: Judge } = {}): Promise<Grade> => {
  const { ending, answer, task } = episode;
  if (ending !== 'answered')
    return { verdict: verdictOfEnding[ending], decidedBy: 'none', reason: `the episode ended as ${ending}` };
  if (answer === null) return { verdict: 'unparsed', decidedBy: 'rule', reason: 'no complete <answer> in the reply' };
  const decision = rules[task.answerKind](task.reference, answer);
  if (decision.decided)
    return { verdict: decision.correct ? 'correct' : 'wrong', decidedBy: 'rule', reason: decision.reason };
  if (!judge)
    return { verdict: 'judge_failed', decidedBy: 'none', reason: `${decision.reason}, and there is no judge` };
  return judge({ question: task.question, reference: task.reference, answer });
};
