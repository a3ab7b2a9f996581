import { type Client, type WorkflowExecutionInfo, WorkflowFailedError } from '@temporalio/client';
import { runAttribute, stageAttribute, verdictAttribute } from '../workflows/search-attributes.ts';
import { type RunKind, runKinds, runTypesQuery } from './run-client.ts';
import { runFailure } from './run-failure.ts';

/** A run as Temporal knows it, also one of another machine. */
export interface ListedRun {
  readonly run: string;
  readonly kind: RunKind;
  /** `paused` is Lensmith's own pause: the run holds nothing. */
  readonly state: 'running' | 'paused' | 'completed' | 'failed' | 'cancelled' | 'terminated' | 'timed out';
  /** The stage that a run is in; null where it has none, or has ended. */
  readonly stage: string | null;
  /** Unix time, milliseconds. */
  readonly startedAt: number;
  /** Null while it goes on. */
  readonly endedAt: number | null;
  /** What became of the best checkpoint, or the class of the failure with the first thing said of it. */
  readonly outcome: string | null;
  readonly workflowId: string;
}

const kinds: Readonly<Record<string, RunKind>> = runKinds;

const endings: Readonly<Record<string, ListedRun['state']>> = {
  COMPLETED: 'completed',
  FAILED: 'failed',
  CANCELLED: 'cancelled',
  TERMINATED: 'terminated',
  TIMED_OUT: 'timed out',
};

/** Why a run failed: its last event says so. */
const failureOf = async (client: Client, { workflowId, runId }: WorkflowExecutionInfo): Promise<string | null> => {
  const error: unknown = await client.workflow.result(workflowId, runId, { followRuns: false }).then(
    () => undefined,
    (cause: unknown) => cause,
  );
  if (!(error instanceof WorkflowFailedError)) return null;
  const { type, message } = runFailure(error);
  const [head = '', first = ''] = message.split('\n');
  // What is wrong with a spec begins below its headline.
  return `${type}: ${head.endsWith(':') ? `${head} ${first}` : head}`;
};

const listed = async (client: Client, execution: WorkflowExecutionInfo): Promise<ListedRun> => {
  const { workflowId, typedSearchAttributes: attributes, startTime, closeTime } = execution;
  const ended = endings[execution.status.name];
  const stage = attributes.get(stageAttribute) ?? null;
  const state = ended ?? (stage === 'paused' ? 'paused' : 'running');
  return {
    run: attributes.get(runAttribute) ?? workflowId,
    kind: kinds[execution.type] ?? 'train',
    state,
    stage: ended || stage === 'paused' ? null : stage,
    startedAt: startTime.getTime(),
    endedAt: closeTime?.getTime() ?? null,
    outcome: state === 'failed' ? await failureOf(client, execution) : (attributes.get(verdictAttribute) ?? null),
    workflowId,
  };
};

/** Runs as the server lists them, newest first; `active` are those that have not ended. */
export const findRuns = (
  client: Client,
  { active, pageSize }: { active: boolean; pageSize?: number },
): AsyncIterable<WorkflowExecutionInfo> => {
  const query = `${runTypesQuery}${active ? ' AND CloseTime IS NULL' : ''}`;
  return client.workflow.list({ query, ...(pageSize === undefined ? {} : { pageSize }) });
};

/** The newest runs with their state and how they ended, newest first. */
export const listRuns = async (client: Client, options: { limit: number; active: boolean }): Promise<ListedRun[]> => {
  const found: WorkflowExecutionInfo[] = [];
  for await (const execution of findRuns(client, { active: options.active, pageSize: options.limit })) {
    found.push(execution);
    if (found.length >= options.limit) break;
  }
  return Promise.all(found.map((execution) => listed(client, execution)));
};
