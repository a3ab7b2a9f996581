/** A linear map from a range of values to a range of pixels. */
export type Scale = (value: number) => number;

export const linearScale = (from: number, to: number, start: number, end: number): Scale => {
  const span = to - from || 1;
  return (value) => start + ((value - from) / span) * (end - start);
};

/** About `count` round numbers between two bounds: steps of 1, 2 or 5 times a power of ten. */
export const ticks = (from: number, to: number, count: number): number[] => {
  const rough = (to - from) / count;
  if (!(rough > 0)) return [from];
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * (rough / power > 5 ? 10 : rough / power > 2 ? 5 : rough / power > 1 ? 2 : 1);
  const first = Math.ceil(from / step - 1e-9);
  return Array.from({ length: Math.floor(to / step + 1e-9) - first + 1 }, (_, index) => (first + index) * step);
};

/** A tick's label, without the noise of floating point. */
export const tickLabel = (value: number): string => String(Number(value.toPrecision(6)));
