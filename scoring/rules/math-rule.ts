import { findStatement } from './find-statement.ts';
import { formulaText } from './formula-text.ts';
import type { MathWorker } from './math-comparison.ts';
import { numberRule } from './number-rule.ts';
import { parseQuantity } from './parse-number.ts';
import { plainText } from './plain-text.ts';
import { decide, type RuleDecision, unparsed } from './rule.ts';

/** A decision, or that the tool which decides is away. */
export type MathDecision = RuleDecision | { readonly decided: false; readonly outage: true; readonly reason: string };

const withoutSpaces = (text: string): string => text.replaceAll(/\s+/g, '');

const isDegrees = (text: string): boolean => /\\circ|°|\bdegrees?\b/.test(text);

/**
 * Compares formulas: equal texts and plain numbers by themselves, all others through math-verify. What the library
 * cannot read is unparsed, and its absence is an outage; neither is wrong.
 */
export const mathRule = async (reference: string, answer: string, worker: MathWorker): Promise<MathDecision> => {
  const whole = plainText(answer);
  const statement = findStatement(whole);
  const text = statement.found ? statement.text : whole;
  const plain = [parseQuantity(reference), parseQuantity(text)];
  // Beyond these floating point is not exact, and the library is.
  if (plain.every((number) => number && Math.abs(number.value) < Number.MAX_SAFE_INTEGER))
    return numberRule(reference, text, { relative: 1e-4 });
  const expected = formulaText(reference);
  const given = formulaText(text) ?? formulaText(text.replace(/^.*\b(?:is|equals)\s+(?=[^\s])/, ''));
  if (expected === undefined) return unparsed(`the reference "${reference}" is no formula`);
  if (given === undefined) return unparsed('the answer is no formula');
  if (isDegrees(reference) !== isDegrees(text) && /\\pi|π/.test(reference + text))
    return unparsed('one of both is in degrees and the other in radians');
  if (withoutSpaces(expected) === withoutSpaces(given)) return decide(true, 'the same formula');
  const { kind, reason } = await worker.compare(expected, given);
  if (kind === 'failed') return { decided: false, outage: true, reason };
  return kind === 'unreadable' ? unparsed(reason) : decide(kind === 'equal', reason);
};
