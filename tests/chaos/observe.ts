import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { PipelineProgress, StageName, StageStatus } from '../../domain/stage.ts';

const answerMs = 3000;

/** What can be seen of a run from outside, while any part of it may be away. */
export interface Observer {
  /** Undefined while Temporal or the control worker does not answer. */
  readonly stages: () => Promise<readonly StageStatus[] | undefined>;
  /** `RUNNING`, or how the workflow ended; undefined while Temporal does not answer. */
  readonly status: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

export const observe = async (address: string, workflowId: string): Promise<Observer> => {
  const connection = Connection.lazy({ address });
  const handle = new Client({ connection }).workflow.getHandle(workflowId);
  const soon = <Value>(ask: () => Promise<Value>): Promise<Value | undefined> =>
    connection.withDeadline(Date.now() + answerMs, ask).catch(() => undefined);
  return {
    stages: async () => (await soon(() => handle.query<PipelineProgress>('progress')))?.stages,
    status: async () => (await soon(() => handle.describe()))?.status.name,
    close: () => connection.close(),
  };
};

/** Steps that a stage's program has written, oldest first; a step that was done again stands twice. */
export const stepsOf = async (runDir: string, stage: StageName): Promise<number[]> => {
  const text = await readFile(join(runDir, 'stages', stage, 'metrics.jsonl'), 'utf8').catch(() => '');
  return text
    .split('\n')
    .filter(Boolean)
    .map((line): number => JSON.parse(line).step);
};
