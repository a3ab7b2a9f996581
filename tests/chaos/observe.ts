import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { failureTypeOf } from '../../activities/failures.ts';
import type { PipelineProgress, StageName, StageStatus } from '../../domain/stage.ts';

const answerMs = 3000;

/** What can be seen of a run from outside, while any part of it may be away. */
export interface Observer {
  /** Undefined while Temporal or the control worker does not answer. */
  readonly stages: () => Promise<readonly StageStatus[] | undefined>;
  /** `RUNNING`, or how the workflow ended; undefined while Temporal does not answer. */
  readonly status: () => Promise<string | undefined>;
  /** The class with which the workflow ended; undefined where it did not fail, or none is known. */
  readonly failure: () => Promise<string | undefined>;
  readonly close: () => Promise<void>;
}

export const observe = async (address: string, workflowId: string): Promise<Observer> => {
  // What is measured is how long the run needs, not how long this client waits before it tries again.
  const channelArgs = { 'grpc.initial_reconnect_backoff_ms': 300, 'grpc.max_reconnect_backoff_ms': 1000 };
  const connection = Connection.lazy({ address, channelArgs });
  const handle = new Client({ connection }).workflow.getHandle(workflowId);
  const soon = <Value>(ask: () => Promise<Value>): Promise<Value | undefined> =>
    connection.withDeadline(Date.now() + answerMs, ask).catch(() => undefined);
  return {
    stages: async () => (await soon(() => handle.query<PipelineProgress>('progress')))?.stages,
    status: async () => (await soon(() => handle.describe()))?.status.name,
    failure: async () =>
      soon(() =>
        handle.result().then(
          () => undefined,
          (error: unknown) => failureTypeOf(error),
        ),
      ),
    close: () => connection.close(),
  };
};

/** A line of a program's `metrics.jsonl`, as far as the checks need it. */
export interface Step {
  readonly step: number;
  /** Unix time, milliseconds. */
  readonly at: number;
}

const parseStep = (line: string): Step[] => {
  try {
    return [JSON.parse(line)];
  } catch {
    // A line that is being written, or that a crash or a full disk has cut off.
    return [];
  }
};

/** Steps that a stage's program has in its curve, oldest first. */
export const stepsOf = async (runDir: string, stage: StageName): Promise<Step[]> => {
  const text = await readFile(join(runDir, 'stages', stage, 'metrics.jsonl'), 'utf8').catch(() => '');
  return text.split('\n').filter(Boolean).flatMap(parseStep);
};

/** Folders of the attempts of a stage's program, oldest first. */
export const attemptsOf = async (runDir: string, stage: string): Promise<string[]> => {
  const folder = join(runDir, 'stages', stage);
  const names = (await readdir(folder).catch(() => [])).filter((name) => /^attempt-\d+$/.test(name));
  const number = (name: string): number => Number(name.slice('attempt-'.length));
  return names.sort((a, b) => number(a) - number(b)).map((name) => join(folder, name));
};
