import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactRef } from '../domain/artifact.ts';
import { LensmithError } from '../domain/errors.ts';
import type { NotifySpec } from '../domain/notification.ts';
import { runIdAt } from '../domain/run-id.ts';
import type { RunRef } from '../domain/stage.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import { type Host, runsFolder } from './host.ts';
import { type PromotionRecord, promotedFile, promotionRecordSchema } from './promote.ts';
import { readSpec, runFilePath } from './read-run.ts';

/** What a night evaluates: the promoted checkpoint on the test split of the run that it came from. */
export interface NightlyTarget {
  readonly name: string;
  readonly run: RunRef;
  readonly startSeconds: number;
  readonly data: ArtifactRef;
  readonly model: { modelName: string; checkpoint: string; model: ArtifactRef; occasion: string };
  readonly promotion: PromotionRecord;
  /** Whom the run of the checkpoint tells; null for nobody. */
  readonly notify: NotifySpec | null;
}

/**
 * Makes the folder of a night's evaluation, with the spec of the run that the promoted checkpoint came from.
 *
 * @throws LensmithError `config` where nothing is promoted under the name.
 */
export const openNightly =
  (host: Host) =>
  async (input: { name: string; workflowId: string; execution: string; startedAt: string }): Promise<NightlyTarget> => {
    const { name, workflowId, execution, startedAt } = input;
    const promotion = await readJson(promotedFile(host, name), promotionRecordSchema).catch((error: unknown) => {
      throw new LensmithError(
        'config',
        `expected a promoted checkpoint named "${name}" in ${promotedFile(host, name)}; train one first`,
        { where: 'name', cause: error },
      );
    });
    const spec = await readSpec(promotion);
    const id = runIdAt(`nightly-${name}`, new Date(startedAt));
    const dir = join(runsFolder(host), id);
    await mkdir(dir, { recursive: true });
    const file = { version: 1, run: id, workflowId, execution, createdAt: startedAt, spec: { ...spec, run: id } };
    await writeFileAtomic(runFilePath(dir), `${JSON.stringify(file, null, 2)}\n`);
    return {
      name,
      run: { run: id, dir, workflowId },
      startSeconds: spec.serving.startSeconds,
      data: promotion.data,
      model: {
        modelName: 'promoted',
        checkpoint: `checkpoint-${promotion.checkpoint.step}`,
        model: promotion.checkpoint,
        occasion: startedAt,
      },
      promotion,
      notify: spec.notify,
    };
  };
