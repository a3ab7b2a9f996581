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
rows = [{'images': [encoded(kind)], 'extra_info': {'question': 'Say 1', 'answer': '1'}} for kind in ['BMP', 'TIFF']]
pq.write_table(pa.Table.from_pylist(rows), sys.argv[1])`;

test('the BMP and TIFF images of a data set reach the model as PNG', async () => {
  const folder = await temporaryFolder();
  const dataset = join(folder, 'bitmaps.parquet');
  await python(program, dataset);
  const server = await startScriptedServer(() => '<answer>1</answer>');
  try {
    const options = { dataset, outputDir: join(folder, 'out'), endpoints: [server.url], dataSource: 'own' };
    expect(await runEvaluation(await evaluationOptions(options))).toMatchObject({ endings: { answered: 2 } });
  } finally {
    await server.close();
  }
  expect(server.requests).toHaveLength(2);
  for (const { messages } of server.requests) expect(JSON.stringify(messages)).toContain('data:image/png;base64,');
});
