import { expect, test } from 'vitest';
import { evaluationNames } from '../../cli/commands/eval-names.ts';

test('names keep what a file name may have, in any script', () => {
  expect(evaluationNames('org/Model-1.5_b', 'data/a.parquet, b/*.parquet')).toEqual({
    modelName: 'org-Model-1.5_b',
    dataName: 'a-all',
  });
  expect(evaluationNames('Модель', '数据.parquet')).toEqual({ modelName: 'Модель', dataName: '数据' });
  expect(evaluationNames('..', '.').modelName).toBe('-');
});

test('names that are too long for a file are cut, and stay apart', () => {
  const many = (last: string): string => Array.from({ length: 40 }, (_, part) => `数据-${part}.parquet`).join() + last;
  const first = evaluationNames('模'.repeat(99), many('a'));
  expect(Buffer.byteLength(`.result_${first.modelName}_${first.dataName}.jsonl.1234567.01234567.tmp`)).toBeLessThan(
    256,
  );
  expect(first.modelName).toMatch(/^模+-[0-9a-f]{12}$/);
  expect(evaluationNames('模'.repeat(99), many('b')).dataName).not.toBe(first.dataName);
});
