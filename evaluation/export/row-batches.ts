import { type RecordBatch, type Schema, Table, vectorFromArray } from 'apache-arrow';

const batchOf = (schema: Schema, rows: readonly Readonly<Record<string, unknown>>[]): RecordBatch[] => {
  const columns = Object.fromEntries(
    schema.fields.map(({ name, type }) => [
      name,
      vectorFromArray(
        rows.map((row) => row[name]),
        type,
      ),
    ]),
  );
  return new Table(schema, columns).batches;
};

/**
 * Gathers rows to record batches.
 *
 * @param batchSize - Rows of a batch: a thousand episodes with long texts are some megabytes.
 */
export async function* rowBatches(
  schema: Schema,
  rows: AsyncIterable<Readonly<Record<string, unknown>>>,
  batchSize = 1024,
): AsyncGenerator<RecordBatch> {
  let waiting: Readonly<Record<string, unknown>>[] = [];
  for await (const row of rows) {
    waiting.push(row);
    if (waiting.length < batchSize) continue;
    yield* batchOf(schema, waiting);
    waiting = [];
  }
  if (waiting.length > 0) yield* batchOf(schema, waiting);
}
