import type { Box } from '../../domain/image-location.ts';
import { evaluateNumbers, type Names } from './numeric-expression.ts';
import { withoutComments } from './python-text.ts';

const assignment = /^\s*([A-Za-z_][\w]*(?:\s*,\s*[A-Za-z_]\w*)*)\s*=(?!=)\s*(.+?)\s*$/;

/** The text inside the bracket that opens at `start`; undefined where it does not close. */
const insideBracket = (text: string, start: number): string | undefined => {
  let depth = 0;
  for (let index = start; index < text.length; index += 1) {
    const character = text[index];
    if (character === '(' || character === '[') depth += 1;
    else if (character === ')' || character === ']') depth -= 1;
    if (depth === 0) return text.slice(start + 1, index);
  }
  return undefined;
};

const boxOf = (value: number | readonly number[] | undefined): Box | undefined => {
  if (value === undefined || typeof value === 'number' || value.length !== 4) return undefined;
  const [left = 0, top = 0, right = 0, bottom = 0] = value;
  return [left, top, right, bottom];
};

/** The regions `.crop(…)` names in a program, as far as its numbers can be worked out without running it. */
export const cropBoxes = (code: string, names: Names = new Map()): Box[] => {
  const text = withoutComments(code, { strings: 'blank' });
  const known = new Map(names);
  const boxes: Box[] = [];
  for (const line of text.split(/[\n;]/)) {
    for (const { index } of line.matchAll(/\.crop\(/g)) {
      const box = boxOf(evaluateNumbers(insideBracket(line, index + '.crop'.length) ?? '', known));
      if (box) boxes.push(box);
    }
    const [, targets, expression] = assignment.exec(line) ?? [];
    if (targets === undefined || expression === undefined) continue;
    const value = evaluateNumbers(expression, known);
    const wanted = targets.split(',').map((name) => name.trim());
    if (value === undefined) continue;
    if (wanted.length === 1) known.set(wanted[0] ?? '', value);
    else if (typeof value !== 'number' && value.length === wanted.length)
      wanted.forEach((name, index) => {
        known.set(name, value[index] ?? 0);
      });
  }
  return boxes;
};

/** The regions that slices such as `pixels[top:bottom, left:right]` name. */
export const sliceBoxes = (code: string, names: Names = new Map()): Box[] =>
  [
    ...withoutComments(code, { strings: 'blank' }).matchAll(/\[([^\][:,]+):([^\][:,]+),([^\][:,]+):([^\][:,]+)[\],]/g),
  ].flatMap(([, top = '', bottom = '', left = '', right = '']) => {
    const box = boxOf([left, top, right, bottom].flatMap((part) => evaluateNumbers(part, names) ?? []));
    return box ? [box] : [];
  });
