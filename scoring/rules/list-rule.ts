import { findStatement } from './find-statement.ts';
import { numberRule, type Tolerance } from './number-rule.ts';
import { parseList } from './parse-list.ts';
import { parseNumber } from './parse-number.ts';
import { plainText } from './plain-text.ts';
import { decide, type RuleDecision, undecided } from './rule.ts';
import { normaliseText } from './text-rule.ts';

/** True and false where two items are comparable, undefined where only a reader can tell. */
const sameItem = (reference: string, given: string, tolerance: Tolerance): boolean | undefined => {
  if (normaliseText(reference) === normaliseText(given)) return true;
  const numbers = [parseNumber(reference), parseNumber(given)];
  if (numbers.every((value) => value !== undefined)) {
    const decision = numberRule(reference, given, tolerance);
    return decision.decided ? decision.correct : undefined;
  }
  return numbers.some((value) => value !== undefined) ? false : undefined;
};

/** The items of an answer; `100,200,300` is one number with its thousands, unless as many items are expected. */
const itemsOf = (text: string, expected: number): string[] => {
  const items = parseList(text);
  if (items.length === expected) return items;
  const apart = parseList(text.replaceAll(/(?<=\d),(?=\d{3}(?!\d))/g, ', '));
  return apart.length === expected ? apart : items;
};

/**
 * Compares lists item by item, in any order; the same item as often as in the reference. Another number of items, or
 * a number that the reference lacks, is wrong; other words are left to the judge. Two empty lists are the same, and a
 * single item may be a word for an empty list, unless it is a number other than 0. `100,200,300` is a list where as many
 * items are expected, else one number.
 */
export const listRule = (reference: string, answer: string, tolerance: Tolerance): RuleDecision => {
  const expected = parseList(reference);
  const statement = findStatement(plainText(answer));
  const given = itemsOf(statement.found ? statement.text : answer, expected.length);
  if (given.length === 0) return decide(expected.length === 0, 'the answer is an empty list');
  // `none` and `zero` are read as 0.
  if (expected.length === 0 && given.length === 1 && !parseNumber(given[0] ?? ''))
    return undecided('the answer may be a word for an empty list');
  const left = [...given];
  const missing: string[] = [];
  for (const item of expected) {
    const index = left.findIndex((other) => sameItem(item, other, tolerance) === true);
    if (index >= 0) left.splice(index, 1);
    else missing.push(item);
  }
  if (missing.length === 0 && left.length === 0) return decide(true, `the same ${expected.length} items`);
  const open = missing.some((item) => left.some((other) => sameItem(item, other, tolerance) === undefined));
  if (open && expected.length === given.length) return undecided('other words for some items');
  if (open && (expected.length === 1 || given.length === 1)) return undecided('the answer may be no list');
  return decide(false, `${missing.length} items are missing and ${left.length} are too many`);
};
