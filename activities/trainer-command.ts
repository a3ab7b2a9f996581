import { join } from 'node:path';
import type { Attempt } from './attempts.ts';
import type { Host } from './host.ts';

/** Command line and environment of a Python program with its config file. */
export const trainerCommand = (
  host: Host,
  program: string,
  configFile: string,
  threads: number,
): { command: string[]; env: Record<string, string> } => ({
  command: [host.python, '-m', `lensmith_trainers.${program}`, '--config', configFile],
  env: {
    PYTHONPATH: join(host.checkout, 'trainers'),
    PYTHONUNBUFFERED: '1',
    OMP_NUM_THREADS: String(threads),
    // Threads that wait spin for some microseconds, which is enough between two operations, and then sleep: without a
    // limit two threads on busy cores are slower than one, without any spinning they gain nothing on free ones.
    OMP_WAIT_POLICY: 'PASSIVE',
    GOMP_SPINCOUNT: '20000',
    TOKENIZERS_PARALLELISM: 'false',
    HF_HUB_OFFLINE: '1',
  },
});

/** The paths through which a program reports, as its config names them. */
export const reportFiles = (attempt: Attempt) => ({
  progressFile: attempt.progress,
  metricsFile: attempt.metrics,
  outcomeFile: attempt.outcome,
});
