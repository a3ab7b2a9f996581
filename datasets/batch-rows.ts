/** Bytes of a decoded batch that are aimed at: few enough to hold many rows of pictures, many enough to be quick. */
const batchBytes = 4 * 2 ** 20;
const mostRows = 1024;

/**
 * Rows to decode at a time, so that a batch is about 4 MiB whatever a row holds.
 *
 * @param bytes - Uncompressed bytes of the columns that are read.
 */
export const batchRows = (bytes: number, rows: number): number => {
  if (rows <= 0 || bytes <= 0) return mostRows;
  return Math.min(mostRows, Math.max(1, Math.floor(batchBytes / (bytes / rows))));
};
