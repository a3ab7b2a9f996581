import { choiceLetter, choiceLetters } from './choice-letter.ts';
import { findStatement } from './find-statement.ts';
import { letterOfText } from './option-text.ts';
import { plainText } from './plain-text.ts';
import { decide, type RuleDecision, unparsed } from './rule.ts';
import { normaliseText } from './text-rule.ts';

const none: ReadonlyMap<string, string> = new Map();

/** What follows a letter and its mark: `red` of `B. red`. */
const afterLetter = /^[([]?[A-Z][)\]]?\s*[.):,\-–—]?\s+(.+)$/u;

/** `so option C is correct`, anywhere in a sentence. */
const asSubject = /\b(?:option|choice|answer)\s+\(?([A-Z])\)?\s+is\s+(?:the\s+)?(?:correct|right|best)\b/gi;

/** `red (B)` */
const behindText = /^(.+?)\s*[([]([A-Z])[)\]]\.?$/u;

/** A letter and the text of another option beside it: one of both is a slip, and which one nobody can say. */
const contradicts = (text: string, letter: string, options: ReadonlyMap<string, string>): boolean => {
  const [, beside] = afterLetter.exec(text) ?? [];
  const named = beside === undefined ? undefined : letterOfText(beside, options);
  return named !== undefined && named !== letter;
};

const readLetter = (text: string, options: ReadonlyMap<string, string>): string | undefined => {
  // The text of an option goes first: with an option "A dog" these words name that one, and not the letter A.
  const byText = text.trim().length > 1 ? letterOfText(text, options) : undefined;
  if (byText !== undefined) return byText;
  const [, before = '', behind] = behindText.exec(text) ?? [];
  if (behind !== undefined && letterOfText(before, options) === behind) return behind;
  const letter = choiceLetter(text);
  if (letter === undefined) {
    const [, first, beside] = /^[([]?([A-Za-z])[)\]]?[.:,]?\s+(.+)$/u.exec(text) ?? [];
    const named = beside === undefined ? undefined : letterOfText(beside, options);
    return named !== undefined && named === first?.toUpperCase() ? named : undefined;
  }
  if (options.size > 0 && !options.has(letter)) return undefined;
  return contradicts(text, letter, options) ? undefined : letter;
};

/**
 * The letter that an answer names, in upper case, by itself or by the text of its option; undefined where it names
 * none or more than one.
 */
export const parseChoice = (text: string, options: ReadonlyMap<string, string> = none): string | undefined => {
  const plain = plainText(text);
  const letter = readLetter(plain, options);
  if (letter !== undefined) return letter;
  const statement = findStatement(plain);
  if (statement.found) return readLetter(statement.text, options);
  const subjects = new Set([...plain.matchAll(asSubject)].map(([, subject]) => subject));
  const [only] = subjects;
  return subjects.size === 1 && only !== undefined && !/\b(?:if|whether|unless|not)\b/i.test(plain)
    ? readLetter(only, options)
    : undefined;
};

/** Compares letters of a multiple choice; an answer in other words is left to the judge. */
export const choiceRule = (
  reference: string,
  answer: string,
  options: ReadonlyMap<string, string> = none,
): RuleDecision => {
  const several =
    options.size === 0 || letterOfText(reference, options) === undefined ? choiceLetters(reference) : undefined;
  if (several) {
    const given = choiceLetters(plainText(answer)) ?? new Set(parseChoice(answer, options));
    if (given.size === 0) return unparsed('the answer names no letters');
    const [expectedText, givenText] = [several, given].map((letters) => [...letters].toSorted().join(', '));
    return decide(expectedText === givenText, `${givenText} against ${expectedText}`);
  }
  const expected = parseChoice(reference, options);
  if (expected === undefined)
    return normaliseText(reference) !== '' && normaliseText(reference) === normaliseText(answer)
      ? decide(true, 'the same text')
      : unparsed(`the reference "${reference}" is no letter and no option`);
  const given = parseChoice(answer, options);
  if (given === undefined) return unparsed('the answer names no letter, or more than one');
  return decide(given === expected, `${given} against ${expected}`);
};
