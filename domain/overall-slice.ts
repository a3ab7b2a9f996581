import type { Slice } from './evaluation.ts';

/** The slice of every sample of an evaluation; undefined where it has none. */
export const overallSlice = ({ slices }: { readonly slices: readonly Slice[] }): Slice | undefined =>
  slices.find(({ family, transform }) => family === 'all' && transform === 'all');
