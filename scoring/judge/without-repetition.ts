const word = /[^\s,;.|/]+/g;

/** Copies from which on a repetition is one: "ha ha" is a word, "a cat, a cat, a cat" is an answer said three times. */
const copies = 3;

/** The first copy of an answer that is nothing but three or more copies of some words; else the answer itself. */
export const withoutRepetition = (answer: string): string => {
  const words = [...answer.matchAll(word)];
  for (let period = 1; period * copies <= words.length; period += 1) {
    if (words.length % period !== 0) continue;
    if (!words.every(([text], index) => text.toLowerCase() === words[index % period]?.[0].toLowerCase())) continue;
    const last = words[period - 1];
    const unit = answer.slice(words[0]?.index, last && last.index + last[0].length);
    // Digits repeat in what is meant, such as 7 7 7.
    return /\p{L}{2}/u.test(unit) ? unit : answer;
  }
  return answer;
};
