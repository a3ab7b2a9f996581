/** Values of names; a list is a tuple or list of numbers. */
export type Names = ReadonlyMap<string, number | readonly number[]>;

const tokenPattern = /\s*(?:(\d+(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+)|([A-Za-z_]\w*)|(\/\/|\*\*|[-+*/%(),[\]]))/y;

const tokensOf = (text: string): string[] | undefined => {
  const tokens: string[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const start = tokenPattern.lastIndex;
    const found = tokenPattern.exec(text);
    if (!found) return text.slice(start).trim() === '' ? tokens : undefined;
    tokens.push(found[1] ?? found[2] ?? found[3] ?? '');
  }
  return tokens;
};

const functions: Readonly<Record<string, (values: readonly number[]) => number>> = {
  int: ([value = Number.NaN]) => Math.trunc(value),
  float: ([value = Number.NaN]) => value,
  abs: ([value = Number.NaN]) => Math.abs(value),
  round: ([value = Number.NaN]) => Math.round(value),
  min: (values) => Math.min(...values),
  max: (values) => Math.max(...values),
};

const modulo = (one: number, other: number): number => one - other * Math.floor(one / other);

const unknown = Symbol('unknown');

/**
 * The value of a Python expression of numbers, names, `+ - * / // %`, brackets and `int float abs round min max`; a
 * tuple or list gives its values. Undefined for everything else.
 */
export const evaluateNumbers = (text: string, names: Names = new Map()): number | readonly number[] | undefined => {
  const tokens = tokensOf(text);
  if (!tokens || tokens.length === 0) return undefined;
  let next = 0;
  const fail = (): never => {
    throw unknown;
  };
  const numberOf = (value: number | readonly number[]): number => (typeof value === 'number' ? value : fail());

  const listUntil = (end: string): number[] => {
    const values: number[] = [];
    while (tokens[next] !== end) {
      values.push(numberOf(sum()));
      if (tokens[next] === ',') next += 1;
      else if (tokens[next] !== end) fail();
    }
    next += 1;
    return values;
  };

  const atom = (): number | readonly number[] => {
    const token = tokens[next] ?? fail();
    next += 1;
    if (token === '-') return -numberOf(atom());
    if (token === '+') return numberOf(atom());
    if (token === '[') return listUntil(']');
    if (token === '(') {
      const values = listUntil(')');
      return values.length === 1 && tokens[next - 2] !== ',' ? (values[0] ?? fail()) : values;
    }
    if (/^[\d.]/.test(token)) return Number(token);
    if (tokens[next] === '(') {
      next += 1;
      return (functions[token] ?? fail())(listUntil(')'));
    }
    return names.get(token) ?? fail();
  };

  const product = (): number | readonly number[] => {
    let value = atom();
    for (let sign = tokens[next]; sign === '*' || sign === '/' || sign === '//' || sign === '%'; sign = tokens[next]) {
      next += 1;
      const [one, other] = [numberOf(value), numberOf(atom())];
      value =
        sign === '*'
          ? one * other
          : sign === '/'
            ? one / other
            : sign === '//'
              ? Math.floor(one / other)
              : modulo(one, other);
    }
    return value;
  };

  const sum = (): number | readonly number[] => {
    let value = product();
    for (let sign = tokens[next]; sign === '+' || sign === '-'; sign = tokens[next]) {
      next += 1;
      const [one, other] = [numberOf(value), numberOf(product())];
      value = sign === '+' ? one + other : one - other;
    }
    return value;
  };

  try {
    const value = sum();
    const values = [value];
    while (tokens[next] === ',') {
      next += 1;
      if (next < tokens.length) values.push(sum());
      else values.push([]);
    }
    if (next < tokens.length) return undefined;
    const result = values.length === 1 ? value : values.flat();
    return [result].flat().every(Number.isFinite) ? result : undefined;
  } catch (error) {
    if (error === unknown) return undefined;
    throw error;
  }
};
