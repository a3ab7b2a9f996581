import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { controlQueue } from '../domain/task-queues.ts';
import { connectWorker } from './connection.ts';
import { runWorker } from './run-worker.ts';
import { versioningOf } from './versioning.ts';

const { connection, namespace } = await connectWorker();
try {
  const bundle = process.env.LENSMITH_WORKFLOW_BUNDLE;
  const worker = await Worker.create({
    connection,
    namespace,
    taskQueue: controlQueue,
    identity: `control-${process.pid}`,
    ...versioningOf(process.env),
    ...(bundle
      ? { workflowBundle: { codePath: bundle } }
      : { workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)) }),
  });
  await runWorker(worker);
} finally {
  await connection.close();
}
