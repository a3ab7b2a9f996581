import { statementsOf } from './python-text.ts';

/** Calls that turn a value into another form of itself. */
const forms: ReadonlySet<string> = new Set([
  ...['str', 'int', 'float', 'repr', 'format', 'chr', 'round', 'bool', 'tuple', 'list', 'range', 'formatted'],
  ...['True', 'False', 'None', 'and', 'or', 'not', 'if', 'else', 'in', 'is', 'sep', 'end', 'flush'],
]);
const formMethods: ReadonlySet<string> = new Set([
  ...['upper', 'lower', 'title', 'capitalize', 'strip', 'format', 'join', 'replace'],
]);

/** What these do cannot be told from the text. */
const opaque = /\b(?:def|class|lambda|exec|eval|global|nonlocal|yield|await|import_module|__import__)\b/;
const control = /^(if|elif|while|with|for|try|except|else|finally)\b(.*?):(?!=)\s*(.*)$/s;
const assignment = /^([A-Za-z_]\w*(?:\s*,\s*[A-Za-z_]\w*)*)\s*=(?!=)\s*(.+)$/s;
const output = /^(?:print|sys\.stdout\.write)\s*\((.*)\)$/s;

/** Joining texts is none; between other values these calculate. */
const calculates = (expression: string): boolean =>
  /[\w)\]]\s*(?:[-+*/%@<>&|^]|==|!=)/.test(
    expression
      .replaceAll(/""\s*[+%]/g, '"",')
      .replaceAll(/\+\s*(?="")/g, ',')
      .replaceAll(/(?<=\d)[eE][-+]/g, 'e'),
  );

const isConstant = (expression: string, constants: ReadonlySet<string>): boolean =>
  !calculates(expression) &&
  [...expression.matchAll(/(\.\s*)?(?<![\w.])([A-Za-z_]\w*)|\.([A-Za-z_]\w*)/g)].every(([, , name, attribute]) =>
    name === undefined ? formMethods.has(attribute ?? '') : constants.has(name) || forms.has(name),
  );

/**
 * Whether all that a program prints is written in it: constants, in whatever form, and names that hold nothing else.
 * What it says of the image came from nowhere. Of a program that calculates, or prints what a name of an earlier call or
 * of the image holds, or decides by it what to print, nobody can say so; nor of one that prints nothing.
 */
export const hasConstantOutput = (code: string): boolean => {
  const lines = statementsOf(code);
  if (lines.some((line) => opaque.test(line))) return false;
  const constants = new Set<string>();
  let printed = 0;
  for (const [index, line] of lines.entries()) {
    let statement = line;
    for (let head = control.exec(statement); head; head = control.exec(statement)) {
      const [, word = '', condition = '', body = ''] = head;
      const [, loop = '', range = condition] = (word === 'for' && /^\s*(.*?)\s+in\s+(.*)$/s.exec(condition)) || [];
      if (!/^(?:try|except|else|finally)$/.test(word) && !isConstant(range, constants)) return false;
      if (/^[A-Za-z_]\w*$/.test(loop)) constants.add(loop);
      statement = body;
    }
    const [, names = '', value = ''] = assignment.exec(statement) ?? [];
    const [, said] = output.exec(statement) ?? [];
    if (names !== '') {
      const kept = isConstant(value, constants);
      for (const name of names.split(/\s*,\s*/))
        if (kept) constants.add(name);
        else constants.delete(name);
    } else if (said !== undefined) {
      if (!isConstant(said, constants)) return false;
      printed += 1;
    } else if (
      index === lines.length - 1 &&
      /^[^\s=]/.test(statement) &&
      !/^(?:import|from|pass|assert|del)\b/.test(statement)
    ) {
      // The value of the last expression is shown.
      if (!isConstant(statement, constants)) return false;
      printed += 1;
    } else
      for (const [, changed = ''] of statement.matchAll(/^([A-Za-z_]\w*)\s*(?:[.[]|[-+*/%]+=)/g))
        constants.delete(changed);
  }
  return printed > 0;
};
