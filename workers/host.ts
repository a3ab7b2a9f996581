import { Client } from '@temporalio/client';
import { Worker } from '@temporalio/worker';
import { hostFromEnvironment } from '../activities/host.ts';
import { hostOfferFromEnvironment } from '../activities/host-report.ts';
import { createHostActivities } from '../activities/index.ts';
import { forgetLeases, holdLeases } from '../activities/lease-fence.ts';
import { ensureLeaseWatch } from '../activities/lease-watch.ts';
import { shareSandbox } from '../activities/shared-sandbox.ts';
import { hostQueue } from '../domain/task-queues.ts';
import { connectWorker } from './connection.ts';
import { createLeaseGuard } from './lease-guard.ts';
import { keepRegistered } from './register-host.ts';
import { runWorker } from './run-worker.ts';
import { livingLeases } from './stop-leased.ts';

const host = await hostFromEnvironment();
const offer = hostOfferFromEnvironment();
const { connection, namespace } = await connectWorker();
const sandbox = shareSandbox(host);
const leaving = new AbortController();
let registered: Promise<void> = Promise.resolve();
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
  const guard = createLeaseGuard(host);
  const client = new Client({ connection, namespace });
  registered = keepRegistered(
    client,
    host,
    offer,
    leaving.signal,
    (fault) => {
      const said = fault === null ? 'is in the gpu-pool' : `is not in the gpu-pool, tries again: ${fault}`;
      process.stderr.write(`host ${host.name} ${said}\n`);
    },
    async (known, reportedAt) => {
      await holdLeases(host, reportedAt, offer.silenceSeconds, known.length > 0);
      if (known.length > 0) await ensureLeaseWatch(host);
      else if (livingLeases(host).length === 0) await forgetLeases(host);
      for (const lease of await guard(known)) process.stderr.write(`ended the programs of the lost lease ${lease}\n`);
    },
  );
  await runWorker(worker);
} finally {
  leaving.abort();
  await registered;
  // Nothing can begin any more.
  if (livingLeases(host).length === 0) await forgetLeases(host, 0);
  await sandbox.closeIfOpen();
  await connection.close();
}
