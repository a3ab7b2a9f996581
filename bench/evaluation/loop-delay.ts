import { writeFileSync } from 'node:fs';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { isMainThread } from 'node:worker_threads';

/* Preloaded into the command that is measured: writes the p99 of its event loop's delay where the environment says. */
const { LENSMITH_BENCH_LOOP_DELAY: path } = process.env;
if (path && isMainThread) {
  const resolution = 5;
  const delays = monitorEventLoopDelay({ resolution });
  delays.enable();
  // What the timer itself waits is no delay of the loop.
  process.on('exit', () => writeFileSync(path, String(Math.max(0, delays.percentile(99) / 1e6 - resolution))));
}
