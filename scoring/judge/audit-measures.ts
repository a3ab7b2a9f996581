import { type AuditMeasure, type AuditSplit, auditSplits } from '../../domain/judge.ts';
import { wilsonInterval } from '../../domain/wilson-interval.ts';
import type { LabelledAnswer } from './audit-pairs.ts';

interface Requirement {
  readonly name: AuditMeasure['name'];
  /** What the lower end of the Wilson interval has to reach. */
  readonly required: number;
  readonly counts: (pair: LabelledAnswer) => boolean;
}

/**
 * What a judge has to show. A false acceptance is paid for in training, so the side of the wrong answers is the
 * stricter one. No verdict and "cannot tell" agree with no label.
 */
export const requirements: readonly Requirement[] = [
  { name: 'agreement', required: 0.88, counts: () => true },
  { name: 'sensitivity', required: 0.8, counts: ({ label }) => label === 'correct' },
  { name: 'specificity', required: 0.85, counts: ({ label }) => label === 'wrong' },
  { name: 'adversarial', required: 0.8, counts: ({ trick }) => trick !== undefined },
  { name: 'held-out', required: 0.8, counts: ({ split }) => split === 'held-out' },
];

const measureOf = ({ name, required }: Requirement, agreed: number, pairs: number): AuditMeasure => {
  const { low, high } = wilsonInterval(agreed, pairs);
  return { name, agreed, pairs, share: pairs === 0 ? 0 : agreed / pairs, low, high, required, passed: low >= required };
};

/** A set of somebody's own need not have pairs that were held out. */
const isAsked = ({ name, counts }: Requirement, pairs: readonly LabelledAnswer[]): boolean =>
  name !== 'held-out' || pairs.some(counts);

/** Each measure over the pairs that were asked; `agreed` says on which of them the judge said what the label says. */
export const measure = (
  asked: readonly LabelledAnswer[],
  agreed: ReadonlySet<string>,
  pairs: readonly LabelledAnswer[] = asked,
): AuditMeasure[] =>
  requirements
    .filter((requirement) => isAsked(requirement, pairs))
    .map((requirement) => {
      const counted = asked.filter(requirement.counts);
      return measureOf(requirement, counted.filter(({ id }) => agreed.has(id)).length, counted.length);
    });

/** The same shares on the pairs of each split; of measures that have pairs there. */
export const measureSplits = (asked: readonly LabelledAnswer[], agreed: ReadonlySet<string>): AuditSplit[] =>
  auditSplits.flatMap((split) => {
    const measures = measure(
      asked.filter((pair) => pair.split === split),
      agreed,
    )
      .filter(({ name, pairs }) => name !== 'held-out' && pairs > 0)
      .map(({ required: _, passed: __, ...share }) => share);
    return measures.length > 0 ? [{ split, measures }] : [];
  });

/** Whether the audit can still be passed if the judge agrees on all that it was not asked yet. */
export const canStillPass = (pairs: readonly LabelledAnswer[], disagreed: ReadonlySet<string>): boolean =>
  requirements
    .filter((requirement) => isAsked(requirement, pairs))
    .every((requirement) => {
      const counted = pairs.filter(requirement.counts);
      const agreed = counted.filter(({ id }) => !disagreed.has(id)).length;
      return measureOf(requirement, agreed, counted.length).passed;
    });

/** Pairs before which nobody is given up, and the agreement that the upper end of the interval then has to reach. */
const firstLook = { pairs: 12, agreement: 0.7 };

/** Whether a judge is so far off that more pairs would only cost time, such as one that cannot keep to the form. */
export const isHopeless = (asked: number, agreed: number): boolean =>
  asked >= firstLook.pairs && wilsonInterval(agreed, asked).high < firstLook.agreement;
