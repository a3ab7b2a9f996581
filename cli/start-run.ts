import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import { LensmithError } from '../domain/errors.ts';
import { runIdAt } from '../domain/run-id.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import { controlQueue } from '../domain/task-queues.ts';
import type { TrainOptions } from '../domain/train-options.ts';
import { withClient } from './connect.ts';
import { workflowIdOf } from './run-client.ts';

/**
 * Starts `train-pipeline` and gives the id of the run.
 *
 * @throws LensmithError `config` where the run is under way.
 */
export const startRun = async (
  spec: RunSpec,
  options: Partial<TrainOptions> = {},
  workflowId?: string,
): Promise<string> => {
  const run = spec.run ?? runIdAt(spec.name, new Date());
  await withClient((client) =>
    client.workflow.start('train-pipeline', {
      taskQueue: controlQueue,
      workflowId: workflowId ?? workflowIdOf(run),
      // The run's folder is what says whether a run may begin again; Temporal only refuses one that still runs.
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      args: Object.keys(options).length === 0 ? [{ ...spec, run }] : [{ ...spec, run }, options],
      staticSummary: `${spec.name}: train-pipeline`,
      staticDetails: `protocol ${spec.protocol}, seed ${spec.seed}, host ${spec.host}`,
    }),
  ).catch((error: unknown) => {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new LensmithError('config', `the run "${run}" is under way; "lensmith watch ${run}" shows it`, {
      where: 'run',
      cause: error,
    });
  });
  return run;
};
