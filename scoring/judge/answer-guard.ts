import type { Grade } from '../../domain/verdict.ts';
import type { JudgeQuestion } from './judge-prompt.ts';
import { withoutRepetition } from './without-repetition.ts';

/** CodeDance's released reward gives nothing to an answer of a thousand characters or more (`llm_judge_qwen_tool_step.py`). */
export const answerCharacters = 1000;

/** Text that is written for who grades and not for who asked. */
const addressesJudge: readonly RegExp[] = [
  /\b(?:ignore|disregard|forget|override)\b[^.\n]{0,40}\b(?:instruction|prompt|rule|reference|above|previous|system)/i,
  /\b(?:dear|hello|attention|note to|message to)\b[^.\n]{0,20}\b(?:judge|grader|evaluator|examiner)\b/i,
  /\b(?:judge|grader|evaluator|examiner)\b\s*[,:]\s*(?:please|you|mark|accept|output|reply|respond|return|say)\b/i,
  /\b(?:mark|grade|score|rate|accept|count|treat|label|judge)\b[^.\n]{0,30}\b(?:this|it|my answer|the answer|the response)\s+(?:as|to be)\s+(?:correct|right|true|valid)\b/i,
  /["']?\bverdict\b["']?\s*(?:[:=]|is|must be|should be)\s*["']?(?:correct|right|true)\b/i,
  /\b(?:final\s+)?judg(?:e)?ment\b\s*[:=]\s*["']?(?:1|correct|true|yes)\b/i,
  /\b(?:always|only|must|please)\b[^.\n]{0,20}\b(?:reply|respond|answer|output|return)\b(?:\s+with)?[\s"'{]+(?:verdict|correct)\b/i,
  /<\|?\/?(?:im_start|im_end|system|assistant|user|endoftext|eot_id|given|reference|question)\b/i,
];

const unparsed = (reason: string): Grade => ({ verdict: 'unparsed', decidedBy: 'rule', reason });

/**
 * Decides what no judge should see: an empty answer, one that is longer than such answers are, one that is addressed to
 * the judge. They are `unparsed`: the model's doing, not an outage. A reference or question with the same words keeps an
 * answer from being taken for an address.
 *
 * @returns The grade, or the question as it is to be asked.
 */
export const guardAnswer = (question: JudgeQuestion): Grade | JudgeQuestion => {
  const { answer, reference } = question;
  if (answer.trim() === '') return unparsed('the answer is empty');
  const longest = Math.max(answerCharacters, 2 * reference.length);
  if (answer.length > longest)
    return unparsed(`expected an answer of at most ${longest} characters, got ${answer.length}`);
  const known = `${reference}\n${question.question}`;
  const plain = answer.normalize('NFKC').replaceAll(/[\u200b-\u200f\u2060\ufeff\u00ad]/g, '');
  if (addressesJudge.some((pattern) => pattern.test(plain) && !pattern.test(known)))
    return unparsed('the answer is addressed to the judge');
  return withoutRepetition(reference) === reference ? { ...question, answer: withoutRepetition(answer) } : question;
};

export const isGrade = (guarded: Grade | JudgeQuestion): guarded is Grade => 'verdict' in guarded;
