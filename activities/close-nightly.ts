import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { overallSlice } from '../domain/overall-slice.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import type { EvaluationRecord } from './evaluate-model.ts';
import type { Host } from './host.ts';
import type { NightlyTarget } from './open-nightly.ts';

export interface NightlyResult {
  readonly run: string;
  readonly checkpoint: string;
  readonly accuracy: number;
  readonly low: number;
  readonly high: number;
  /** Accuracy over the test split when the checkpoint was promoted. */
  readonly reference: number;
  /** The reference lies above the night's interval. */
  readonly regression: boolean;
  /** Folder of the evaluation. */
  readonly evaluation: string;
}

const linesOf = async (file: string): Promise<string[]> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').filter((line) => line !== '');
};

/** Adds a night to `nightly/<name>.jsonl`, once however often it is tried, and says whether the model does worse than when it was promoted. */
export const closeNightly =
  (host: Host) =>
  async (target: NightlyTarget, record: EvaluationRecord): Promise<NightlyResult> => {
    const all = overallSlice(record.result);
    const { accuracy, low, high } = all ?? { accuracy: 0, low: 0, high: 1 };
    const result: NightlyResult = {
      run: target.run.run,
      checkpoint: target.promotion.checkpoint.path,
      accuracy,
      low,
      high,
      reference: target.promotion.accuracy,
      regression: high < target.promotion.accuracy,
      evaluation: record.artifact.path,
    };
    await mkdir(join(host.home, 'nightly'), { recursive: true });
    const file = join(host.home, 'nightly', `${target.name}.jsonl`);
    const line = JSON.stringify(result);
    const others = (await linesOf(file)).filter((known) => known !== line);
    await writeFileAtomic(file, `${[...others, line].join('\n')}\n`);
    return result;
  };
