import { join } from 'node:path';
import type { Schema } from 'apache-arrow';
import { writeFileAtomic } from '../../processes/atomic-file.ts';
import { stored } from '../../processes/storage-failure.ts';
import type { SampleEntry } from '../journal-entry.ts';
import { indexedEntries, indexJournal, type JournalIndex } from '../journal-index.ts';
import { type ExportFormat, encodeBatches } from './encode-batches.ts';
import { resultRows, resultSchema } from './result-columns.ts';
import { rowBatches } from './row-batches.ts';
import { traceRows, traceSchema } from './trace-columns.ts';

const tables = {
  results: { schema: resultSchema, rows: resultRows },
  traces: { schema: traceSchema, rows: traceRows },
} as const satisfies Record<string, { schema: Schema; rows: (entry: SampleEntry) => Record<string, unknown>[] }>;

async function* rowsOf(
  journal: string,
  index: JournalIndex,
  rows: (entry: SampleEntry) => Record<string, unknown>[],
): AsyncGenerator<Record<string, unknown>> {
  for await (const entry of indexedEntries(journal, index)) yield* rows(entry);
}

/**
 * Writes `results.<format>`, a row an episode, and `traces.<format>`, a row a turn, from the journal of an evaluation,
 * for pandas, Polars and DuckDB. Neither needs more memory than a batch.
 *
 * @param dir - Folder of the evaluation.
 * @param outputDir - Existing folder for the files.
 * @returns The paths of both, and the number of episodes.
 * @throws LensmithError `data` where the journal is missing or damaged, `disk_full` or `infrastructure` where the files cannot be
 * written.
 */
export const exportEvaluation = async (dir: string, format: ExportFormat, outputDir = dir) => {
  const journal = join(dir, 'journal.jsonl');
  const index = await indexJournal(journal);
  const files: string[] = [];
  for (const [name, { schema, rows }] of Object.entries(tables)) {
    const path = join(outputDir, `${name}.${format}`);
    const encoded = encodeBatches(format, schema, rowBatches(schema, rowsOf(journal, index, rows)));
    await stored(path, writeFileAtomic(path, encoded));
    files.push(path);
  }
  return { files, episodes: index.places.length };
};
