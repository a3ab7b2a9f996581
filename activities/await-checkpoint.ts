import { join } from 'node:path';
import { Context, sleep } from '@temporalio/activity';
import type { CheckpointRef } from '../domain/artifact.ts';
import type { RunRef } from '../domain/stage.ts';
import { listCheckpoints } from '../processes/artifact.ts';
import { readRunFile } from './read-run.ts';
import { readOutputs } from './stage-outputs.ts';

/** Where RL writes its checkpoints this time; undefined until it has begun. */
const currentFolder = async (run: RunRef): Promise<string | undefined> => {
  const [{ opening }, outputs] = await Promise.all([readRunFile(run), readOutputs(run, 'rl')]);
  return outputs && outputs.opening === (opening ?? null) ? join(run.dir, outputs.folder) : undefined;
};

/**
 * Waits for the first complete checkpoint of RL after a step. Those of an earlier opening of the run count only where RL
 * goes on from them; until it has begun nothing is known of that.
 */
export const awaitCheckpoint =
  () =>
  async (run: RunRef, _folder: string, after: number): Promise<CheckpointRef> => {
    for (;;) {
      const folder = await currentFolder(run);
      const next = folder && (await listCheckpoints(folder)).find(({ step }) => step > after);
      if (next) return next;
      Context.current().heartbeat({ folder: folder ?? null, after });
      await sleep(1000);
    }
  };

/** The complete checkpoints of RL, oldest first, once RL has ended. */
export const listRlCheckpoints =
  () =>
  async (_run: RunRef, modelPath: string): Promise<CheckpointRef[]> =>
    listCheckpoints(join(modelPath, '..'));
