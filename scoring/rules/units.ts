/** A unit by its family and its size in the family's smallest one here. */
interface Unit {
  readonly family: string;
  readonly size: number;
}

const families: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  length: {
    0.001: 'mm millimeter millimeters millimetre millimetres',
    0.01: 'cm centimeter centimeters centimetre centimetres',
    1: 'm meter meters metre metres',
    1000: 'km kilometer kilometers kilometre kilometres',
    0.0254: 'in inch inches',
    0.3048: 'ft foot feet',
    1609.344: 'mile miles mi',
  },
  area: { 0.0001: 'cm² cm^2 cm2', 1: 'm² m^2 m2', 1000000: 'km² km^2 km2' },
  mass: {
    0.001: 'mg milligram milligrams',
    1: 'g gram grams',
    1000: 'kg kilogram kilograms',
  },
  time: {
    0.001: 'ms millisecond milliseconds',
    1: 's sec secs second seconds',
    60: 'min mins minute minutes',
    3600: 'h hr hrs hour hours',
    86400: 'day days',
    604800: 'week weeks',
  },
  volume: { 0.001: 'ml milliliter milliliters millilitre millilitres', 1: 'l liter liters litre litres' },
  angle: { 1: '° deg degree degrees' },
  celsius: { 1: '°c' },
  fahrenheit: { 1: '°f' },
  dollar: { 0.01: '¢ cent cents', 1: '$ dollar dollars usd' },
  euro: { 1: '€ euro euros eur' },
  pound: { 1: '£ gbp' },
  yen: { 1: '¥ yen jpy' },
  percent: { 1: '% percent pct percentage' },
};

const units: ReadonlyMap<string, Unit> = new Map(
  Object.entries(families).flatMap(([family, sizes]) =>
    Object.entries(sizes).flatMap(([size, names]) =>
      names.split(' ').map((name) => [name, { family, size: Number(size) }] as const),
    ),
  ),
);

/**
 * What a value in one unit is in another: a factor, `different` where both measure different things, `unknown` where
 * one of them is a word that is no unit of this list.
 */
export const unitFactor = (from: string, to: string): number | 'different' | 'unknown' => {
  const plain = (name: string): string => name.toLowerCase().replace(/\.$/, '');
  if (plain(from) === plain(to) || `${plain(from)}s` === plain(to) || plain(from) === `${plain(to)}s`) return 1;
  const [one, other] = [units.get(plain(from)), units.get(plain(to))];
  if (!one || !other) return 'unknown';
  return one.family === other.family ? one.size / other.size : 'different';
};
