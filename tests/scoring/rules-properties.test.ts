import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chartRule, isYear } from '../../scoring/rules/chart-rule.ts';
import { parseChoice } from '../../scoring/rules/choice-rule.ts';
import { anls, documentRule } from '../../scoring/rules/document-rule.ts';
import { extractAnswer } from '../../scoring/rules/extract-answer.ts';
import { listRule } from '../../scoring/rules/list-rule.ts';
import { narrow, numberRule } from '../../scoring/rules/number-rule.ts';
import { parseNumberWords } from '../../scoring/rules/number-words.ts';
import { ocrRule } from '../../scoring/rules/ocr-rule.ts';
import { parseOptions } from '../../scoring/rules/parse-options.ts';
import { textRule } from '../../scoring/rules/text-rule.ts';

const letter = fc.constantFrom('A', 'B', 'C', 'D', 'E');
const opening = fc.constantFrom(
  'After zooming in',
  'Based on the crop',
  'Clearly',
  'Despite the blur',
  'Each row has a cat',
);
const frame = fc.constantFrom(
  (each: string) => each,
  (each: string) => `(${each})`,
  (each: string) => `The answer is ${each}.`,
  (each: string) => `**Answer:** ${each}`,
  (each: string) => String.raw`$\boxed{\text{${each}}}$`,
);

describe('letters', () => {
  it('whatever word a sentence begins with, the stated letter is read', () => {
    fc.assert(
      fc.property(opening, letter, (words, each) => parseChoice(`${words}, the correct option is (${each}).`) === each),
    );
  });

  it('of two letters joined by a word none is read', () => {
    fc.assert(
      fc.property(letter, letter, fc.constantFrom('or', 'and', 'nor'), frame, (one, other, word, framed) => {
        fc.pre(one !== other);
        return parseChoice(framed(`${one} ${word} ${other}`)) === undefined;
      }),
    );
  });

  it('any text gives a letter or nothing, and never one that is no option', () => {
    const options = new Map([
      ['A', 'red'],
      ['B', 'blue'],
    ]);
    fc.assert(fc.property(fc.string(), (text) => ['A', 'B', undefined].includes(parseChoice(text, options))));
  });

  it.each([
    ['Which color?\nA. red\nB. dark blue', ['red', 'dark blue']],
    ['Which color?\n(A) red\n(B) dark blue\nAnswer with the letter.', ['red', 'dark blue']],
    ['Which color? (A) red (B) dark blue', ['red', 'dark blue']],
    ['Which color? A. red B. dark blue', ['red', 'dark blue']],
    ['Is figure A. larger than B?', []],
    ['Which color?\nB. red\nC. blue', []],
  ])('the options of %j', (question, options) => {
    expect([...parseOptions(question).values()]).toEqual(options);
  });
});

describe('numbers', () => {
  it('is right for its own digits in every frame, and wrong for others', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -1e6, max: 1e6 }),
        fc.integer({ min: -1e6, max: 1e6 }),
        frame,
        (one, other, framed) => {
          const decision = numberRule(String(one), framed(String(other)));
          return decision.decided && decision.correct === (one === other);
        },
      ),
    );
  });

  it('reads commas of thousands as the same number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1000, max: 1e12 }), (value) => {
        const decision = numberRule(String(value), value.toLocaleString('en-US'));
        return decision.decided && decision.correct;
      }),
    );
  });

  it.each([
    ['zero', 0],
    ['nineteen', 19],
    ['forty-two', 42],
    ['one hundred', 100],
    ['three hundred and seven', 307],
    ['two thousand and five', 2005],
    ['one million two hundred thousand', 1_200_000],
    ['twelve three', undefined],
    ['twenty twelve', undefined],
    ['hundred two hundred', undefined],
    ['and five', undefined],
  ])('%j is %j', (words, value) => {
    expect(parseNumberWords(words)).toBe(value);
  });

  it('no text makes a rule throw, and none but the reference itself or its value is accepted', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const decision = numberRule('123456', text);
        return !(decision.decided && decision.correct) || text.includes('123456') || text.includes('123,456');
      }),
    );
  });
});

describe('charts', () => {
  it.each([
    ['2012', 'In which year?', true],
    ['2012', '', true],
    ['2012', 'How many cars were sold?', false],
    ['2012', 'How many cars were sold in the year of the fair?', true],
    ['2012.0', '', false],
    ['1234', '', false],
  ])('%j for %j is a year: %j', (reference, question, year) => {
    expect(isYear(reference, question)).toBe(year);
  });

  it('takes five percent and no more', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.double({ min: -0.2, max: 0.2, noNaN: true }),
        (reference, off) => {
          fc.pre(Math.abs(Math.abs(off) - 0.05) > 1e-9);
          const decision = chartRule({ reference: String(reference), answer: (reference * (1 + off)).toFixed(12) });
          return decision.decided && decision.correct === Math.abs(off) < 0.05;
        },
      ),
    );
  });
});

describe('texts', () => {
  // Worked by hand: 1 - distance / length of the longer text, and 0 below a half.
  it.each([
    ['north', 'north', 1],
    ['north', 'NORTH ', 1],
    ['north', 'south', 0.6],
    ['acme', 'acne', 0.75],
    ['ab', 'cd', 0],
    ['abcd', 'abzz', 0.5],
    ['abcde', 'abzzz', 0],
    ['', '', 1],
  ])('ANLS of %j and %j is %d', (one, other, value) => {
    expect(anls(one, other)).toBeCloseTo(value, 12);
    expect(anls(other, one)).toBeCloseTo(value, 12);
  });

  it('a text is right for itself in every rule', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-z]{2,9}( [a-z]{2,9}){0,2}$/), (text) =>
        [textRule(text, text), documentRule(text, text), ocrRule(text, text), listRule(text, text, narrow)].every(
          (decision) => decision.decided && decision.correct,
        ),
      ),
    );
  });

  it('the order of a list does not matter', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 99 }), { minLength: 1, maxLength: 6 }), (items) => {
        const decision = listRule(items.join(', '), items.toReversed().join(', '), narrow);
        return decision.decided && decision.correct;
      }),
    );
  });
});

describe('extraction', () => {
  it('what stands inside the last marks goes before all else', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[^<>]{0,40}$/), fc.stringMatching(/^[a-z]{1,9}$/), (around, inside) => {
        const found = extractAnswer(`The answer is A. ${around}<answer>${inside}</answer>${around}`);
        return found.found && found.text === inside && found.by === 'marks';
      }),
    );
  });

  it('a reply of many thousand characters is read in time that grows with its length', () => {
    const reply = `${'the answer is '.repeat(5000)}${'('.repeat(5000)}${'a '.repeat(20_000)}`;
    expect(() => extractAnswer(reply)).not.toThrow();
  });
});
