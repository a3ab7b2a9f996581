/** One line of the bench. */
export interface Figure {
  readonly case: string;
  readonly subject: string;
  readonly value: number;
  readonly unit: string;
  /** Ours over the subject's, better above 1; null for our own figures and where nothing is compared. */
  readonly ratio: number | null;
}

/** The value below which a share of the values lies. */
export const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

/** Prints a figure: a line of a table, or with `asJson` a line of JSON. */
export const print = (figure: Figure, asJson: boolean): void => {
  const { case: name, subject, value, unit, ratio } = figure;
  const line = `${name.padEnd(34)} ${subject.padEnd(26)} ${value.toFixed(2).padStart(10)} ${unit.padEnd(12)}`;
  const text = ratio === null ? line.trimEnd() : `${line} x ${ratio.toFixed(1)}`;
  process.stdout.write(`${asJson ? JSON.stringify({ bench: 'sandbox', ...figure }) : text}\n`);
};
