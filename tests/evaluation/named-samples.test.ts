import { join } from 'node:path';
import { expect, test } from 'vitest';
import { indexedEntries, indexJournal } from '../../evaluation/journal-index.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { python } from '../datasets/python.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { evaluationOptions } from './digit-set.ts';

const program = `
import sys
import pyarrow as pa, pyarrow.parquet as pq
rows = [{'images': None, 'extra_info': {'split': 'test', 'index': i, 'question': 'Say 1', 'answer': '1'}} for i in ['a', 'a#1', '7']]
pq.write_table(pa.Table.from_pylist(rows), sys.argv[1])`;

test('an index that is a name is the id of its sample, also one that looks like an attempt', async () => {
  const folder = await temporaryFolder();
  const dataset = join(folder, 'named.parquet');
  await python(program, dataset);
  const server = await startScriptedServer(() => '<answer>1</answer>');
  const outputDir = join(folder, 'out');
  try {
    const options = { dataset, outputDir, endpoints: [server.url], dataSource: 'own', attempts: 2 };
    await runEvaluation(await evaluationOptions(options));
  } finally {
    await server.close();
  }
  expect(server.requests).toHaveLength(6);
  const journal = join(outputDir, 'journal.jsonl');
  const found: string[] = [];
  for await (const { sampleId, attempt } of indexedEntries(journal, await indexJournal(journal)))
    found.push(`${sampleId}, ${attempt}`);
  expect(found).toEqual(['a, 0', 'a, 1', 'a#1, 0', 'a#1, 1', 'test-7, 0', 'test-7, 1']);
});
