import { rm, writeFile } from 'node:fs/promises';
import type { Worker } from '@temporalio/worker';

/** Runs a worker to its end; while it polls, the file that `LENSMITH_READY_FILE` names exists. */
export const runWorker = async (worker: Worker, env: NodeJS.ProcessEnv = process.env): Promise<void> => {
  const readyFile = env.LENSMITH_READY_FILE;
  const running = worker.run();
  if (readyFile) await writeFile(readyFile, String(process.pid));
  try {
    await running;
  } finally {
    if (readyFile) await rm(readyFile, { force: true });
  }
};
