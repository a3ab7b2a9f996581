import { type AnswerKind, answerKinds } from '../domain/answer-kind.ts';
import type { Task } from '../domain/episode.ts';
import { choiceLetters } from './rules/choice-letter.ts';
import { letterOfText } from './rules/option-text.ts';
import { parseQuantity } from './rules/parse-number.ts';
import { parseOptions } from './rules/parse-options.ts';
import { kindOfStyle, kindsOfSource } from './rules/source-kinds.ts';

/** How results tell that every answer was read as of one kind. */
const overridden = ', answers as ';

/** The version of scoring where every answer is read as of one kind. */
export const scoringAs = (scoring: string, kind: AnswerKind): string => `${scoring}${overridden}${kind}`;

/** Whether a version of scoring is one where every answer was read as of one kind. */
export const isScoringAs = (scoring: string): boolean => scoring.includes(overridden);

/** What a row says of its answer. */
export interface RowAnswer {
  /** `extra_info.answer_kind`; null where the row has none. */
  readonly named: string | null;
  /** `reward_model.style`. */
  readonly style: string;
  readonly dataSource: string;
  readonly question: string;
  readonly reference: string;
}

/** The kind of a row's answer, and what it was taken from; `unknown` where nothing told, so that it is `text`. */
export interface FoundKind {
  /** As the row names it, which need not be a kind that there is. */
  readonly kind: string;
  readonly from: 'row' | 'style' | 'source' | 'unknown';
}

const fits = (kind: AnswerKind, { question, reference }: Pick<RowAnswer, 'question' | 'reference'>): boolean => {
  if (kind === 'choice') {
    if (/^\(?[A-J]\)?\.?$/.test(reference.trim())) return true;
    const options = parseOptions(question);
    return options.size > 0 && (letterOfText(reference, options) ?? choiceLetters(reference)) !== undefined;
  }
  if (kind === 'number') return parseQuantity(reference) !== undefined;
  return true;
};

/**
 * The kind of answer that a row wants: the one that it names, else that of its `reward_model.style`, else that of its
 * data source, else `text`, which the same words decide and otherwise the judge.
 */
export const answerKindOf = (row: RowAnswer): FoundKind => {
  if (row.named !== null && row.named !== 'auto') return { kind: row.named, from: 'row' };
  const styled = kindOfStyle(row.style);
  if (styled) return { kind: styled, from: 'style' };
  const kinds = kindsOfSource(row.dataSource);
  const kind = kinds && (kinds.find((candidate) => fits(candidate, row)) ?? kinds.at(-1));
  return kind ? { kind, from: 'source' } : { kind: 'text', from: 'unknown' };
};

const isAnswerKind = (kind: string): kind is AnswerKind => (answerKinds as readonly string[]).includes(kind);

/** The kind of a task's answer; that of one which leaves it open is found as a row's. */
export const answerKindOfTask = ({ answerKind, dataSource, question, reference }: Task): AnswerKind => {
  if (answerKind !== 'auto') return answerKind;
  const { kind } = answerKindOf({ named: null, style: '', dataSource, question, reference });
  return isAnswerKind(kind) ? kind : 'text';
};
