import { type Client, type WorkflowHandle, WorkflowNotFoundError } from '@temporalio/client';
import { LensmithError } from '../domain/errors.ts';

export const workflowIdOf = (run: string): string => `train/${run}`;

/** What a description says of a workflow, as far as it matters here. */
interface Described {
  readonly status: { readonly name: string };
}

/** Whether Temporal's own pause holds a workflow: it takes up no task and answers nothing, and its programs go on. */
export const isHeldByTemporal = ({ status }: Described): boolean => status.name === 'PAUSED';

/** Whether a workflow has not ended. */
export const isUnderWay = (workflow: Described): boolean =>
  workflow.status.name === 'RUNNING' || isHeldByTemporal(workflow);

/** What holds the workflow, and how to let it go on. */
export const heldByTemporalNote = (workflowId: string): string =>
  `Temporal's own pause holds the workflow; "temporal workflow unpause --workflow-id ${workflowId}" lets it go on`;

/**
 * Tells whether a workflow that can be asked is under way.
 *
 * @throws LensmithError `config` where Temporal's own pause holds it: it would answer nothing.
 */
export const canBeAsked = async (handle: WorkflowHandle): Promise<boolean> => {
  const description = await handle.describe();
  if (isHeldByTemporal(description))
    throw new LensmithError('config', heldByTemporalNote(handle.workflowId), { where: 'RUN' });
  return isUnderWay(description);
};

/** What "lensmith runs" lists, by the types of their workflows. */
export const runKinds = { 'train-pipeline': 'train', 'nightly-evaluation': 'nightly' } as const;
export type RunKind = (typeof runKinds)[keyof typeof runKinds];

/** Temporal's words for what "lensmith runs" lists. */
export const runTypesQuery = `WorkflowType IN (${Object.keys(runKinds)
  .map((type) => `'${type}'`)
  .join(', ')})`;

/**
 * The workflow of a run or a nightly evaluation by the name that "lensmith runs" has for it, also of one that was started
 * by Temporal's own command line under another id.
 *
 * @throws LensmithError `config` where Temporal knows no such run.
 */
export const findRun = async (client: Client, run: string): Promise<{ handle: WorkflowHandle; kind: RunKind }> => {
  const handle = client.workflow.getHandle(workflowIdOf(run));
  try {
    await handle.describe();
    return { handle, kind: 'train' };
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
  const name = run.replaceAll("'", '');
  const query = `${runTypesQuery} AND (LensmithRun = '${name}' OR WorkflowId = '${name}')`;
  for await (const { workflowId, type } of client.workflow.list({ query }))
    return {
      handle: client.workflow.getHandle(workflowId),
      kind: type === 'nightly-evaluation' ? 'nightly' : 'train',
    };
  throw new LensmithError('config', `Temporal knows no run "${run}"; "lensmith runs" lists those that it has`, {
    where: 'RUN',
  });
};
