import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasConstantOutput } from '../../scoring/code/constant-output.ts';
import { cropBoxes, sliceBoxes } from '../../scoring/code/crop-boxes.ts';
import { evaluateNumbers } from '../../scoring/code/numeric-expression.ts';
import { isEmptyCode } from '../../scoring/code/python-text.ts';

describe('code that does nothing', () => {
  it.each([
    '# rotate the image by 90 degrees and crop the sign',
    '"""I crop the region [10, 20, 30, 40]."""\npass',
    "import numpy as np\nfrom PIL import Image  # img.rotate(90)\n'img.rotate(90)'",
    '',
    '...',
  ])('is empty: %j', (code) => expect(isEmptyCode(code)).toBe(true));

  it.each(['img.rotate(90)', 'print(len("# no comment"))', 'x = 1', 'input_image'])('is not empty: %j', (code) =>
    expect(isEmptyCode(code)).toBe(false),
  );

  it.each([
    'print(8)',
    "print('The answer is B')",
    'answer = 42\nprint("answer:", answer)  # counted by eye',
    'import math\nn = -3.5e2; print(n)',
    'True',
    'x = 5\nprint(f"the answer is {x}")',
    'print(str(7))',
    'print(f"{7:.2f}", "cats")',
    'print("7".upper())',
    'answer = 7\nanswer',
    'if True:\n    print("7")',
    'for i in range(3): print("a cat")',
    'try:\n    print(7)\nexcept Exception:\n    pass',
    'print(\n    "The label says",\n    "tea",\n)',
    'img = input_image.copy()\nprint("It shows a cat")',
    'w, h = input_image.size\nn = 7\nprint(n)',
    'print("{} of {}".format(3, 4))',
    'print("%d" % 7)',
    'word = "tea"\nprint("It says " + word)',
    'import sys\nsys.stdout.write("7")',
  ])('is constant: %j', (code) => expect(hasConstantOutput(code)).toBe(true));

  it.each([
    'print(3+5)',
    'print(2+0)',
    'print([3, 3, 5].count(3))',
    'print(f"{img.size[0] * 2}")',
    'print(img.size)',
    'input_image',
    'n = 3\nn += 1\nprint(n)',
    'print(max(1, 2))',
    'print(found)',
    'print(len("strawberry"))',
    'print("strawberry".count("r"))',
    'x = 3\ny = 5\nprint(x * y)',
    'w, h = input_image.size\nprint(f"{w} by {h}")',
    'if input_image.size[0] > 100:\n    print("large")',
    'for x in boxes:\n    print("a box")',
    'values = [3, 5]\nvalues.append(input_image.size[0])\nprint(values)',
    'def area():\n    return input_image.size\nprint(area())',
    'n = 7\nn = input_image.size[0]\nprint(n)',
    'crop = input_image.crop((0, 0, 9, 9))\nprint(crop.size)',
    'print("it" if input_image.mode == "L" else "not")',
    'x = 1',
    'input_image.show()',
    'import numpy as np',
  ])('is not constant: %j', (code) => expect(hasConstantOutput(code)).toBe(false));
});

describe('expressions', () => {
  it.each([
    ['1 + 2 * 3', 7],
    ['(1 + 2) * 3', 9],
    ['-7 // 2', -4],
    ['-7 % 3', 2],
    ['int(7 / 2)', 3],
    ['max(0, 5 - 9)', 0],
    ['w // 2', 50],
    ['(1, 2, w)', [1, 2, 100]],
    ['[1, 2,]', [1, 2]],
    ['1, 2', [1, 2]],
    ['(3)', 3],
  ])('%s is %j', (text, value) => expect(evaluateNumbers(text, new Map([['w', 100]]))).toEqual(value));

  it.each(['', 'x', '1 +', 'open("f")', '1 / 0', '(1, 2', '2 ** 3', '"a"', '1 2', '((1, 2), 3)'])(
    '%j has no value',
    (text) => expect(evaluateNumbers(text)).toBeUndefined(),
  );

  it('never throws', () => {
    const character = fc.constantFrom(...'0123456789.+-*/%()[], abw');
    fc.assert(
      fc.property(fc.string({ unit: character, maxLength: 24 }), (text) => {
        evaluateNumbers(text);
        cropBoxes(`img.crop(${text})`);
        hasConstantOutput(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('regions that code names', () => {
  it('follows numbers through assignments', () => {
    const code =
      'x, y = 40, 30\nw = 2 * 20\nbox = (x, y, x + w, y + 10)\na = img.crop(box)\nb = img.crop([1, 2, 3, 4]).resize((9, 9))';
    expect(cropBoxes(code)).toEqual([
      [40, 30, 80, 40],
      [1, 2, 3, 4],
    ]);
  });

  it('takes nothing from comments and texts, and nothing that depends on a run', () => {
    expect(cropBoxes('# img.crop((1, 2, 3, 4))\nprint("img.crop((1, 2, 3, 4))")\nimg.crop(find_box())')).toEqual([]);
  });

  it('reads slices as top, bottom, left, right', () => {
    expect(sliceBoxes('part = pixels[10:50, 20:60]\nother = pixels[1:2, 3:4, :]')).toEqual([
      [20, 10, 60, 50],
      [3, 1, 4, 2],
    ]);
  });
});
