import { LensmithError } from '../domain/errors.ts';

/** Where a value stands, for messages: `train.parquet, row 12, column images`. */
export interface Place {
  readonly path: string;
  readonly row: number;
  readonly column: string;
}

const kindOf = (value: unknown): string =>
  value === null || value === undefined ? 'nothing' : value instanceof Uint8Array ? 'bytes' : typeof value;

/** A value as a message shows it: whole numbers of 64 bits, which JSON does not know, as numbers. */
export const shown = (value: unknown): string =>
  JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? Number(inner) : inner)) ?? 'nothing';

export const unfit = ({ path, row, column }: Place, expected: string, came: string): LensmithError =>
  new LensmithError('data', `expected ${expected}, got ${came}`, { where: `${path}, row ${row}, column ${column}` });

/** As `unfit`, for a value that is not of the kind. */
export const misfit = (place: Place, expected: string, came: unknown): LensmithError =>
  unfit(place, expected, kindOf(came));

export const asText = (value: unknown, place: Place): string => {
  if (typeof value !== 'string') throw misfit(place, 'text', value);
  return value;
};

const isIterable = (value: unknown): value is Iterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.iterator in value;

export const isList = (value: unknown): value is Iterable<unknown> =>
  isIterable(value) && !(value instanceof Uint8Array);

export const asList = (value: unknown, place: Place): unknown[] => {
  if (!isList(value)) throw misfit(place, 'a list', value);
  return [...value];
};

/** The fields of a struct; Arrow's own rows give them by `toJSON`. */
export const asStruct = (value: unknown, place: Place): Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array)
    throw misfit(place, 'a struct', value);
  return 'toJSON' in value && typeof value.toJSON === 'function'
    ? (value.toJSON() as Record<string, unknown>)
    : (value as Record<string, unknown>);
};

/** An image of either published shape: bytes, or a struct of bytes and path. */
export const asImage = (value: unknown, place: Place): { bytes: Uint8Array | null; path: string | null } => {
  if (value instanceof Uint8Array) return { bytes: value, path: null };
  const { bytes, path } = asStruct(value, place);
  if (bytes instanceof Uint8Array) return { bytes, path: typeof path === 'string' ? path : null };
  if (typeof path === 'string') return { bytes: null, path };
  throw misfit(place, 'an image as bytes or as a struct with bytes or a path', value);
};
