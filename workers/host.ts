import { Worker } from '@temporalio/worker';
import { hostFromEnvironment } from '../activities/host.ts';
import { createHostActivities } from '../activities/index.ts';
import { shareSandbox } from '../activities/shared-sandbox.ts';
import { hostQueue } from '../domain/task-queues.ts';
import { connectWorker } from './connection.ts';
import { runWorker } from './run-worker.ts';

const host = await hostFromEnvironment();
const { connection, namespace } = await connectWorker();
const sandbox = shareSandbox(host);
try {
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: hostQueue(host.name),
    identity: `host-${host.name}-${process.pid}`,
    activities: createHostActivities(host, sandbox),
    maxConcurrentActivityTaskExecutions: 64,
    // Heartbeats carry the live view's figures one way and cancellations the other; the default would hold both back
    // for most of the heartbeat's timeout.
    maxHeartbeatThrottleInterval: '1s',
    shutdownGraceTime: '5s',
  });
  await runWorker(worker);
} finally {
  await sandbox.closeIfOpen();
  await connection.close();
}
