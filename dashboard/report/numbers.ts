const dash = '–';

const withMinus = (text: string): string => text.replace(/^-/, '−');

/** A number with fixed places; a dash for none. */
export const fixed = (value: number | null, places: number): string =>
  value === null || !Number.isFinite(value) ? dash : withMinus(value.toFixed(places));

/** A share in per cent, one place, without the sign. */
export const percent = (share: number | null): string => fixed(share === null ? null : 100 * share, 1);

/** As `fixed`, with its sign also where it is positive. */
export const signed = (value: number, places: number): string => {
  const text = fixed(value, places);
  return Number(value.toFixed(places)) > 0 ? `+${text}` : text.replace(/^−(0(\.0+)?)$/, '$1');
};

/** A whole number in groups of three. */
export const grouped = (value: number): string => String(value).replaceAll(/\B(?=(\d{3})+$)/g, '\u2009');

/** A p-value: three places, and what is below them as a bound. */
export const pValue = (p: number): string => (p < 0.001 ? '&lt; 0.001' : fixed(p, 3));

/** A time as people say it: milliseconds below a second, then seconds, minutes, hours. */
export const duration = (seconds: number): string => {
  if (seconds < 0.9995) return `${fixed(1000 * seconds, 0)} ms`;
  if (seconds < 9.95) return `${fixed(seconds, 1)} s`;
  if (seconds < 119.5) return `${fixed(seconds, 0)} s`;
  if (seconds < 7170) return `${fixed(seconds / 60, 1)} min`;
  return `${fixed(seconds / 3600, 1)} h`;
};

/** `2026-01-02 03:04:05 UTC` of an ISO date. */
export const moment = (iso: string): string => `${iso.slice(0, 19).replace('T', ' ')} UTC`;
