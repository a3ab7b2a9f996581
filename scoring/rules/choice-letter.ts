/** Behind the letter these still speak about it: a reason, or an explanation in brackets. */
const letterAlone = /^[([{]?([A-Za-z])[)\]}]?\s*[.:,;!]*$/;

const namings: readonly RegExp[] = [
  /^(?:definitely|clearly|certainly|probably|obviously|surely|so|thus|therefore|hence),?\s+(?:option\s+|choice\s+)?[([]?([A-Z])[)\]]?(?=\s*(?:[.,;:!]|$))/iu,
  /^(?:(?:the\s+)?(?:correct\s+|right\s+|best\s+)?(?:option|choice|answer|letter))\s*(?:is\s*)?[:#]?\s*[([]?([A-Z])[)\]]?(?![\p{L}\d'’])/iu,
  /^(?:(?:so|thus|hence|therefore|clearly|then),?\s+)?(?:i(?:\s+would|\s+will|['’]d)?\s+(?:choose|pick|select|say|go\s+with|think|believe)(?:\s+(?:it\s+is|it's|that))?|it\s+is|it's|it\s+must\s+be|that\s+is|that's|must\s+be)\s+(?:option\s+|choice\s+|letter\s+)?[([]?([A-Z])[)\]]?(?=\s*(?:[.,;:!]|because\b|since\b|$))/iu,
  /^[([]([A-Z])[)\]](?![\p{L}\d'’])/u,
  /^([A-Z])\s*(?:[.):]|\s[-–—]\s|[-–—:]\s|,\s)/u,
  /^([A-Z])[.)]?\s*\n/u,
  /^([A-Z])\s+(?:because|since|as|due|for)\b/u,
  /^[([]?([A-Z])[)\]]?\s+(?:is|seems|looks)\s+(?:(?:the\s+)?(?:correct|right|best)|the\s+(?:one|answer))\b/u,
];

/** A second letter marked as a choice, or a doubt: `B. or C`, `B) or D)`, `A. No, B.`, `A, but it is B`. */
const another =
  /[\s(](?:(?:or|and|nor|either|both|neither|maybe|perhaps)\s+[([]?[A-Z](?![\p{L}\d'’])|[([]?[A-Z][)\].:]|[A-Z]\s*$|(?:but|however|actually|no,|wait)\s.{0,40}?\b[A-Z](?![\p{L}'’]))/u;

/** Right behind a letter these say that it is not the choice: `(A) is incorrect`, `Option A: wrong`. */
const denied =
  /^(?:(?!\b(?:because|since|as|so)\b)[^.;\n]){0,25}?\b(?:not|\p{L}+n['’]t|incorrect|wrong|false|cannot|ruled|excluded|eliminated|fails|opposite)(?![\p{L}])/iu;

/** `, not D`, `rather than (A)`, `instead of B`: what the answer is not, at its end. */
const contrast =
  /[\s,;(]+(?:and\s+|but\s+)?(?:definitely\s+)?(?:not|rather\s+than|instead\s+of)\s+(?:option\s+|choice\s+)?[([]?[A-Z][)\]]?(?:\s+(?:or|and|nor)\s+[([]?[A-Z][)\]]?)*\)?[.!]?$/u;

const upper = (letter: string, named: string): string | undefined =>
  // In the middle of a sentence a small letter is a word: "it's a".
  letter === letter.toUpperCase() || named.trim().length <= 12 ? letter.toUpperCase() : undefined;

/**
 * The letter that a short text names as its choice, in upper case; undefined where it names none, more than one, or
 * where the letter may as well be a word (`A dog`).
 */
export const choiceLetter = (text: string): string | undefined => {
  const plain = text.trim().replace(contrast, '').trim();
  const [, single] = letterAlone.exec(plain) ?? [];
  if (single) return single.toUpperCase();
  for (const pattern of namings) {
    const [named = '', letter] = pattern.exec(plain) ?? [];
    if (!letter) continue;
    const rest = plain.slice(named.length);
    if (denied.test(rest) || (letter === 'I' && /,\s*$/.test(named))) return undefined;
    if (another.test(` ${rest}`) || /^\s*(?:[/&+]\s*[A-Z]|\?)/.test(rest)) return undefined;
    // "the answer a dog gives": a small letter counts only where nothing comes behind it.
    if (letter !== letter.toUpperCase() && !/^[)\].:,;!\s]*$/.test(rest)) return undefined;
    // "The answer is A dog": an article.
    if (/^[AI]$/.test(letter) && named.endsWith(letter) && /^\s+(?!because\b|since\b|as\b|is\b)\p{L}/u.test(rest))
      return undefined;
    return upper(letter, named);
  }
  return undefined;
};

/** The letters of a reference with several right options, `A, C` or `ACD`; undefined where it is no such list. */
export const choiceLetters = (text: string): ReadonlySet<string> | undefined => {
  const plain = text.trim().replace(/^[([{]|[)\]}.]$/g, '');
  if (/^[A-J]{2,10}$/.test(plain)) return new Set(plain);
  if (!/^[([]?[A-J][)\]]?(?:\s*(?:,|;|&|\band\b|,\s*and\b)\s*[([]?[A-J][)\]]?)+$/.test(plain)) return undefined;
  return new Set(plain.match(/\b[A-J]\b/g));
};
