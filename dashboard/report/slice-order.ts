/** A slice of a report's tables and figures, in the order in which they are read. */
export interface NamedSlice<Slice> {
  readonly label: string;
  /** A transform within the family above it. */
  readonly inner: boolean;
  readonly slice: Slice;
}

/** `rotate_90` as people read it. */
export const transformLabel = (transform: string): string =>
  transform === 'identity' ? 'upright' : transform.replace(/^rotate_(\d+)$/, 'rotated $1°').replaceAll('_', ' ');

/**
 * All first, then each family with its transforms under it. A family with a single transform is one row, named for
 * both: its two slices hold the same samples.
 */
export const slicesInOrder = <Slice extends { readonly family: string; readonly transform: string }>(
  slices: readonly Slice[],
): NamedSlice<Slice>[] => {
  const whole = slices.filter(({ transform }) => transform === 'all');
  return whole.flatMap((slice): NamedSlice<Slice>[] => {
    if (slice.family === 'all') return [{ label: 'all', inner: false, slice }];
    const parts = slices.filter(({ family, transform }) => family === slice.family && transform !== 'all');
    const [only] = parts;
    if (parts.length === 1 && only)
      return [{ label: `${slice.family}, ${transformLabel(only.transform)}`, inner: false, slice }];
    return [
      { label: slice.family, inner: false, slice },
      ...parts.map((part) => ({ label: transformLabel(part.transform), inner: true, slice: part })),
    ];
  });
};

/** The slice of all samples. */
export const wholeSlice = <Slice extends { readonly family: string; readonly transform: string }>(
  slices: readonly Slice[],
): Slice | undefined => slices.find(({ family, transform }) => family === 'all' && transform === 'all');
