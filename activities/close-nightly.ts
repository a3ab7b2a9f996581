import { appendFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
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

/** Appends a night to `nightly/<name>.jsonl` and says whether the model does worse than when it was promoted. */
export const closeNightly =
  (host: Host) =>
  async (target: NightlyTarget, record: EvaluationRecord): Promise<NightlyResult> => {
    const all = record.result.slices.find(({ family, transform }) => family === 'all' && transform === 'all');
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
    await appendFile(join(host.home, 'nightly', `${target.name}.jsonl`), `${JSON.stringify(result)}\n`);
    return result;
  };
