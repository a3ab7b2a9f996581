import { join } from 'node:path';
import { Context, sleep } from '@temporalio/activity';
import type { CheckpointRef } from '../domain/artifact.ts';
import type { RunRef } from '../domain/stage.ts';
import { listCheckpoints } from '../processes/artifact.ts';

/**
 * Waits for the first complete checkpoint of RL after a step. The folder is the one RL's artifact lies in, which for a
 * cached stage belongs to another run.
 */
export const awaitCheckpoint =
  () =>
  async (_run: RunRef, folder: string, after: number): Promise<CheckpointRef> => {
    for (;;) {
      const next = (await listCheckpoints(folder)).find(({ step }) => step > after);
      if (next) return next;
      Context.current().heartbeat({ folder, after });
      await sleep(1000);
    }
  };

/** The complete checkpoints of RL, oldest first, once RL has ended. */
export const listRlCheckpoints =
  () =>
  async (_run: RunRef, modelPath: string): Promise<CheckpointRef[]> =>
    listCheckpoints(join(modelPath, '..'));
