import { z } from 'zod';

const rangesSchema = z.record(
  z.string(),
  z.looseObject({ part: z.string(), from: z.int().nonnegative(), to: z.int().nonnegative() }),
);

/** `train 46000 to 49999`: the digits behind a split, from the details of a data set's manifest; undefined where it names none. */
export const digitRange = (digits: unknown, split: string): string | undefined => {
  const range = rangesSchema.safeParse(digits).data?.[split];
  return range && `${range.part} ${range.from} to ${range.to - 1}`;
};
