import { type RlSlot, readRlSlots } from '../datasets/read-rows.ts';
import type { RlRow } from '../domain/dataset.ts';
import { LensmithError } from '../domain/errors.ts';
import type { CountedFile } from './counted-files.ts';
import { idOfRow, type KindOptions, type Sample, sampleOfRow } from './sample-of-row.ts';

/** A sample in its place; its images are read when it is its turn. */
export interface SampleSlot {
  /** Place in the data set, from 0, over all its files. */
  readonly row: number;
  /** The row's own id. A second row of the same id is `<id>~2`; one that has none, for it cannot be read, `row-<row>`. */
  readonly sampleId: string;
  /** @throws LensmithError `data` where the row, or an image that it names, cannot be read. */
  readonly load: () => Promise<Sample>;
  /** Says that the sample is loaded no more, and that nobody reads bytes of its images. */
  readonly release: () => void;
}

export interface ReadSamplesOptions extends KindOptions {
  /** `data_source` of rows without one. */
  readonly dataSource?: string;
  /** Id of a row of which nothing is left to do. A file with no other rows is not opened. */
  readonly settled?: (row: number) => string | undefined;
}

const dataError = (error: unknown): LensmithError => {
  if (error instanceof LensmithError && error.type === 'data') return error;
  throw error;
};

const readRow = (slot: RlSlot): RlRow | LensmithError => {
  try {
    return slot.read();
  } catch (error) {
    return dataError(error);
  }
};

const failing = (row: number, sampleId: string, error: LensmithError): SampleSlot => ({
  row,
  sampleId,
  load: () => Promise.reject(error),
  release: () => undefined,
});

/** Gives each row an id of its own that depends on the rows before it alone. */
const createIds = () => {
  const seen = new Set<string>();
  return (wanted: string): string => {
    let id = wanted;
    for (let count = 2; seen.has(id); count += 1) id = `${wanted}~${count}`;
    seen.add(id);
    return id;
  };
};

/**
 * Every row of the files in order: as many as their footers promise, also where a row does not fit the schema or a
 * part of a file is torn, so that nothing leaves the denominator.
 */
export async function* readSamples(
  files: readonly CountedFile[],
  { dataSource, settled = () => undefined, ...kinds }: ReadSamplesOptions = {},
): AsyncGenerator<SampleSlot> {
  const idFor = createIds();
  const told = new Set<string>();
  const onUnknownSource = (source: string): void => {
    if (!told.has(source)) kinds.onUnknownSource?.(source);
    told.add(source);
  };
  let first = 0;
  for (const { path, rows } of files) {
    const known: string[] = [];
    for (let id = settled(first); id !== undefined && known.length < rows; id = settled(first + known.length))
      known.push(id);
    let next = 0;
    let fault = new LensmithError('data', `expected ${rows} rows, got fewer`, { where: path });
    if (known.length === rows)
      for (; next < rows; next += 1)
        yield failing(first + next, idFor(known[next] ?? ''), new LensmithError('data', 'the row is settled'));
    try {
      for await (const slot of next < rows ? readRlSlots(path, dataSource) : []) {
        const row = readRow(slot);
        const place = first + slot.index;
        next = slot.index + 1;
        const { release } = slot;
        if (row instanceof LensmithError) {
          release();
          yield failing(place, idFor(`row-${place}`), row);
        } else {
          const sampleId = idFor(idOfRow(row));
          const load = () => sampleOfRow(row, sampleId, path, { ...kinds, onUnknownSource });
          yield { row: place, sampleId, load, release };
        }
      }
    } catch (error) {
      fault = dataError(error);
    }
    for (; next < rows; next += 1) yield failing(first + next, idFor(`row-${first + next}`), fault);
    first += rows;
  }
}
