const small = [
  ...['zero', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve'],
  ...['thirteen', 'fourteen', 'fifteen', 'sixteen', 'seventeen', 'eighteen', 'nineteen'],
];
const tens = ['twenty', 'thirty', 'forty', 'fifty', 'sixty', 'seventy', 'eighty', 'ninety'];

const units = new Map([
  ...small.map((word, value) => [word, value] as const),
  ...tens.map((word, index) => [word, 10 * (index + 2)] as const),
]);

/** Words that multiply the number before them. */
export const scaleWords: ReadonlyMap<string, number> = new Map([
  ['dozen', 12],
  ['dozens', 12],
  ['millions', 1e6],
  ['billions', 1e9],
  ['hundred', 1e2],
  ['thousand', 1e3],
  ['million', 1e6],
  ['billion', 1e9],
  ['trillion', 1e12],
]);

const whole = new Map([
  ['none', 0],
  ['nil', 0],
  ['half', 0.5],
  ['a half', 0.5],
  ['one half', 0.5],
  ['a dozen', 12],
  ['a quarter', 0.25],
  ['one quarter', 0.25],
  ['three quarters', 0.75],
  ['a third', 1 / 3],
  ['one third', 1 / 3],
  ['two thirds', 2 / 3],
]);

/** True for a word that is part of a number written in words. */
export const isNumberWord = (word: string): boolean => units.has(word) || scaleWords.has(word);

/** The value of a number in English words, `one hundred and five`; undefined where the words are no single number. */
export const parseNumberWords = (text: string): number | undefined => {
  const plain = text.toLowerCase().replaceAll('-', ' ').replaceAll(/ +/g, ' ').trim();
  const known = whole.get(plain);
  if (known !== undefined) return known;
  let total = 0;
  let group = 0;
  let last = Number.POSITIVE_INFINITY;
  const words = plain.replace(/^a (?=hundred|thousand|million|billion|trillion)/, 'one ').split(' ');
  for (const [index, word] of words.entries()) {
    const unit = units.get(word);
    const scale = scaleWords.get(word);
    if (unit !== undefined) {
      // "three four" and "twenty twelve" are two numbers: each word has to fit below the one before.
      if (unit >= last || (last < 100 && (last < 20 || unit > 9))) return undefined;
      group += unit;
      last = unit === 0 ? 0 : unit;
    } else if (scale === 100 && group > 0 && group < 100) {
      group *= 100;
      last = 100;
    } else if (scale !== undefined && scale !== 100 && group > 0) {
      total += group * scale;
      group = 0;
      last = Number.POSITIVE_INFINITY;
    } else if (!(word === 'and' && index > 0 && index < words.length - 1 && scaleWords.has(words[index - 1] ?? ''))) {
      return undefined;
    }
  }
  return total + group;
};
