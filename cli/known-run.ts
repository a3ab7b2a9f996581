import { join } from 'node:path';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import type { Host } from '../activities/host.ts';
import { runsFolder } from '../activities/host.ts';
import { type RunFile, readRunFile, runFilePath } from '../activities/read-run.ts';
import { LensmithError } from '../domain/errors.ts';
import type { PipelineProgress } from '../domain/stage.ts';
import { canBeAsked } from './run-client.ts';

/** A run by its folder. */
export interface KnownRun {
  readonly dir: string;
  readonly file: RunFile;
}

/**
 * Reads the folder of a run on this machine.
 *
 * @throws LensmithError `config` where there is none.
 */
export const readKnownRun = async (host: Pick<Host, 'home'>, run: string): Promise<KnownRun> => {
  const dir = join(runsFolder(host), run);
  const file = await readRunFile({ dir }).catch((cause: unknown) => {
    throw new LensmithError('config', `expected a run with the file ${runFilePath(dir)}`, { where: 'RUN', cause });
  });
  return { dir, file };
};

/** What the workflow of a run does: `over` where it has ended, or Temporal does not know it any more. */
export type RunActivity =
  | { readonly state: 'over' }
  | { readonly state: 'running' | 'pausing' | 'paused'; readonly stage: string; readonly handle: WorkflowHandle };

/**
 * Looks at what the workflow of a run does.
 *
 * @throws LensmithError `config` where Temporal's own pause holds it, `infrastructure` where it does not answer.
 */
export const lookAtRun = async (client: Client, workflowId: string): Promise<RunActivity> => {
  const handle = client.workflow.getHandle(workflowId);
  try {
    if (!(await canBeAsked(handle))) return { state: 'over' };
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return { state: 'over' };
    throw error;
  }
  const { hold, stages } = await handle.query<PipelineProgress>('progress').catch((cause: unknown) => {
    throw new LensmithError(
      'infrastructure',
      'the workflow of the run does not answer; is a control worker running ("lensmith status")?',
      { where: workflowId, cause },
    );
  });
  const current = stages.filter(({ state }) => state === 'running').map(({ name }) => name);
  return { state: hold?.state ?? 'running', stage: current.join(' and '), handle };
};
