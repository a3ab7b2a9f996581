import type { Info } from '@temporalio/activity';
import { Client, Connection } from '@temporalio/client';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';

/** An activity's context without a worker, and what the activity has told the world through it. */
export const activityContext = (info: Partial<Info> = {}) => {
  const heartbeats: unknown[] = [];
  const signals: { workflowId: string | undefined; name: string; args: unknown[] }[] = [];
  // The interceptor ends each signal here, so that the connection is never made.
  const client = new Client({
    connection: Connection.lazy(),
    interceptors: {
      workflow: [
        {
          signal: async ({ workflowExecution, signalName, args }) => {
            signals.push({ workflowId: workflowExecution.workflowId ?? undefined, name: signalName, args });
          },
        },
      ],
    },
  });
  const environment = new MockActivityEnvironment(info, { client, logger: new DefaultLogger('ERROR') });
  environment.on('heartbeat', (details: unknown) => heartbeats.push(details));
  const run = <T>(work: () => Promise<T>): Promise<T> => environment.run(work) as Promise<T>;
  return { environment, run, heartbeats, signals };
};

/** Runs something where activities run. */
export const inActivity = <T>(work: () => Promise<T>): Promise<T> => activityContext().run(work);
