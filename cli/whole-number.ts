import { InvalidArgumentError } from 'commander';

/** Reads the whole number of an option, within its bounds. */
export const wholeNumber =
  (least: number, most = Number.POSITIVE_INFINITY) =>
  (text: string): number => {
    const value = Number(text);
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new InvalidArgumentError(
        `expected a whole number from ${least}${Number.isFinite(most) ? ` to ${most}` : ''}`,
      );
    return value;
  };
