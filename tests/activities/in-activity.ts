import type { Info } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** An activity's context without a worker, and what the activity has told the world through it. */
export const activityContext = (info: Partial<Info> = {}) => {
  const heartbeats: unknown[] = [];
  const signals: { workflowId: string; name: string; argument: unknown }[] = [];
  const workflow = {
    getHandle: (workflowId: string) => ({
      signal: async (name: string, argument: unknown) => {
        signals.push({ workflowId, name, argument });
      },
    }),
  };
  const client = {
    workflow,
    withAbortSignal: <T>(_signal: AbortSignal, work: () => T): T => work(),
  } as unknown as Client;
  const environment = new MockActivityEnvironment(info, { client, logger: new DefaultLogger('ERROR') });
  environment.on('heartbeat', (details: unknown) => heartbeats.push(details));
  const run = <T>(work: () => Promise<T>): Promise<T> => environment.run(work) as Promise<T>;
  return { environment, run, heartbeats, signals };
};

/** Runs something where activities run. */
export const inActivity = <T>(work: () => Promise<T>): Promise<T> => activityContext().run(work);
