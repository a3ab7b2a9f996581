import { boxedTexts, plainText } from './plain-text.ts';

/** What a text says that its answer is, or why it says none. */
export type Statement =
  | { readonly found: true; readonly text: string; readonly by: 'boxed' | 'anchor' }
  | { readonly found: false; readonly reason: string };

/** `the final answer is: …`, `Answer: …`, `the correct option would be …`. */
const anchor =
  /(?<![\p{L}\d])(?:(?:the|my|our|its)\s+)?(?:(?:final|correct|right|best|overall|most likely|likely)\s+)*(?:answer|option|choice|result)(?:\s+(?:to|for)\s+(?:the|this)\s+question)?\s*(?:\*\*|__)?\s*(?:(?:is|was|will be|would be|should be|must be|has to be)(?:\s+(?:therefore|thus|clearly|definitely|simply|then))?(?:\s+(?:the\s+)?(?:option|choice|letter)(?=\s+\(?[A-Z]\)?(?![\p{L}\d])))?(?:\s*(?:[:=]|as follows:))?|[:=\uff1a])\s*(?:\*\*|__)?\s*/giu;

/** Before an anchor these make it no statement of what is so. */
const unreal =
  /(?:\b(?:not|never|cannot|hardly|\w+n['’]t)\s+(?:\p{L}+\s+){0,3}|\b(?:wrong|incorrect|false|possible|previous|first|initial|other|another|alternative|second|suggested|expected|unlikely|impossible)\s+(?:that\s+)?(?:the\s+)?|\b(?:if|whether|unless|thought|might think|may think|could think|would think|one thinks|suppos\w+|assum\w+|guessed|doubt|claims?|claimed|says?|said|suggests?|not sure)\s+(?:that\s+)?)$/iu;

/** After the answer these take it back. */
const takenBack =
  /(?:^|[\s.,;!?(])(?:wait|actually|hold on|correction|on second thought|scratch that|i was wrong|let me re-?(?:check|count|consider|do)|no,|hmm)(?![\p{L}])/iu;

/** Up to the end of the line or of the sentence; a point inside a number or behind a letter of a choice ends none. */
const sentence = (text: string): string => {
  const [line = ''] = text.split(/\n/);
  const end = /(?<!(?:^|\s)\(?[A-Za-z])[.!?](?=\s+\p{Lu}|\s*$)|[!?](?=\s)/u.exec(line);
  return line.slice(0, end?.index ?? line.length).trim();
};

/**
 * The answer that a text states with words or marks that are there for it; the last one counts. Nothing is guessed
 * from other text, and a statement that is conditional, or taken back behind it, is none.
 */
export const findStatement = (text: string): Statement => {
  const boxed = boxedTexts(text);
  const lastBox = boxed.at(-1);
  if (lastBox !== undefined) {
    if (new Set(boxed).size > 1) return { found: false, reason: 'more than one \\boxed answer' };
    return { found: true, text: plainText(lastBox), by: 'boxed' };
  }
  let reason = 'no statement of an answer';
  for (const match of [...text.matchAll(anchor)].toReversed()) {
    if (unreal.test(text.slice(0, match.index).slice(-40))) {
      reason = 'the answer is stated as a supposition only';
      continue;
    }
    const rest = text.slice(match.index + match[0].length);
    const stated = sentence(rest).replace(/\s*(?:\*\*|__)\.?$/, '');
    if (stated === '') continue;
    if (/^[^.!\n]{0,40}\?/.test(rest)) {
      reason = 'the answer is stated as a question';
      continue;
    }
    if (/^(?:not|n't|neither|never)\b/i.test(stated))
      return { found: false, reason: 'the text says what is not the answer' };
    if (takenBack.test(rest)) return { found: false, reason: 'the answer is taken back behind its statement' };
    return { found: true, text: plainText(stated), by: 'anchor' };
  }
  return { found: false, reason };
};
