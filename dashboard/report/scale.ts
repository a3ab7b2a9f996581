/** A linear map from a range of values to a range of pixels. */
export type Scale = (value: number) => number;

export const linearScale = (from: number, to: number, start: number, end: number): Scale => {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
};

/**
 * Lowest and highest of the finite values with a little air around them; one value alone stands in the
 * middle, and nothing but 0 on the floor of the range to 1.
 * Undefined where there is none.
 */
export const extent = (values: readonly number[], air = 0.06): readonly [number, number] | undefined => {
  const finite = values.filter(Number.isFinite);
  if (finite.length === 0) return undefined;
  const [low, high] = finite.reduce(
    ([least, most], value) => [Math.min(least, value), Math.max(most, value)],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY],
  );
  if (low === 0 && high === 0) return [-air, 1];
  const around = low === high ? Math.abs(low) / 2 : air * (high - low);
  return [low - around, high + around];
};

/** About `count` round numbers between two bounds: steps of 1, 2 or 5 times a power of ten. */
export const ticks = (from: number, to: number, count: number): number[] => {
  const rough = (to - from) / count;
  if (!(rough > 0 && Number.isFinite(rough))) return [];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
  const first = Math.ceil(from / step - 1e-9);
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, index) =>
    Number(((first + index) * step).toPrecision(12)),
  );
};

/** A tick's label: no noise of floating point, a true minus, powers of ten where a plain number would be long. */
export const tickLabel = (value: number): string => {
  const size = Math.abs(value);
  const text = size !== 0 && (size < 1e-3 || size >= 1e5) ? value.toExponential() : String(value);
  return text.replace(/^-/, '−').replace('e+', 'e').replace('e-', 'e−');
};

/** A coordinate in SVG: a tenth of a pixel is enough. */
export const at = (value: number): string => String(Number(value.toFixed(1)));
