import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { python } from '../datasets/python.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { evaluationOptions } from './digit-set.ts';

const program = `
import io, sys
import pyarrow as pa, pyarrow.parquet as pq
from PIL import Image
def encoded(kind):
    file = io.BytesIO()
    Image.new('RGB', (30, 30), (1, 2, 3)).save(file, kind)
    return file.getvalue()
rows = [{'images': [encoded(kind)], 'extra_info': {'question': 'Say 1', 'answer': '1'}} for kind in ['TIFF', 'BMP']]
pq.write_table(pa.Table.from_pylist(rows), sys.argv[1])`;

test('a TIFF of a data set reaches the model as PNG, and a BMP is a data_error', async () => {
  const folder = await temporaryFolder();
  const dataset = join(folder, 'pictures.parquet');
  await python(program, dataset);
  const server = await startScriptedServer(() => '<answer>1</answer>');
  try {
    const options = {
      dataset,
      outputDir: join(folder, 'out'),
      endpoints: [server.url],
      dataSource: 'own',
      maxUndecidedShare: 0.5,
    };
    expect(await runEvaluation(await evaluationOptions(options))).toMatchObject({
      endings: { answered: 1, data_error: 1 },
    });
  } finally {
    await server.close();
  }
  expect(server.requests).toHaveLength(1);
  for (const { messages } of server.requests) expect(JSON.stringify(messages)).toContain('data:image/png;base64,');
});
