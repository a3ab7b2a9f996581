import { type Client, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { LensmithError } from '../domain/errors.ts';

export const workflowIdOf = (run: string): string => `train/${run}`;

/**
 * The workflow of a run, also of one that was started by Temporal's own command line under another id.
 *
 * @throws LensmithError `config` where Temporal knows no such run.
 */
export const findRun = async (client: Client, run: string): Promise<WorkflowHandle> => {
  const handle = client.workflow.getHandle(workflowIdOf(run));
  try {
    await handle.describe();
    return handle;
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  const query = `WorkflowType = 'train-pipeline' AND LensmithRun = '${run.replaceAll("'", '')}'`;
  for await (const found of client.workflow.list({ query })) return client.workflow.getHandle(found.workflowId);
  throw new LensmithError('config', `Temporal knows no run "${run}"; "lensmith runs" lists those that it has`, {
    where: 'RUN',
  });
};
