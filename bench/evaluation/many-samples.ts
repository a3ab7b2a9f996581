import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { makeData } from './make-data.ts';
import { startMock } from './mock-process.ts';

const markSchema = z.object({
  samples: z.number(),
  seconds: z.number(),
  cpuSeconds: z.number(),
  rssMib: z.number(),
  liveMib: z.number(),
});
/**
 * How far an evaluation of many samples was, after how long, with how much memory: resident, with what the collector has
 * not looked at yet, and what is left after it has.
 */
export type Mark = z.infer<typeof markSchema>;

/** Asks many small samples in one turn each, and looks at the memory of this process on the way. */
const askMany = async (samples: number, every: number, onMark: (mark: Mark) => void): Promise<void> => {
  const dir = await mkdtemp(join(tmpdir(), 'lensmith-bench-many-'));
  const mock = await startMock({ turns: 1, turnMs: 0 });
  let next = Math.min(1000, every);
  try {
    const dataset = await makeData(dir, samples, 400);
    const started = performance.now();
    await runEvaluation({
      dataset,
      datasetName: 'many',
      datasetDigest: 'many',
      model: 'bench',
      checkpoint: 'model',
      modelDigest: '',
      protocol: await loadProtocol('codedance'),
      endpoints: [mock.url],
      servedModel: 'bench',
      sampling: { temperature: 0, topP: 1, maxTokens: 64, seed: null },
      concurrency: 64,
      episodeSeconds: 600,
      maxUndecidedShare: 0,
      outputDir: join(dir, 'out'),
      sandbox: { isolation: 'none', createSession: () => Promise.reject(new Error('no code is run here')) },
      scoring: 'bench',
      grade: async () => ({ verdict: 'correct', decidedBy: 'rule', reason: 'bench' }),
      signal: new AbortController().signal,
      keepImages: 0,
      onProgress: ({ done }) => {
        if (done < next) return;
        next = done < every ? every : next + every;
        const { rss } = process.memoryUsage();
        const { user, system } = process.cpuUsage();
        globalThis.gc?.();
        const { heapUsed, external } = process.memoryUsage();
        onMark({
          samples: done,
          seconds: (performance.now() - started) / 1000,
          cpuSeconds: (user + system) / 1e6,
          rssMib: rss / 2 ** 20,
          liveMib: (heapUsed + external) / 2 ** 20,
        });
      },
    });
  } finally {
    await mock.close();
    await rm(dir, { recursive: true, force: true });
  }
};

/** The same in a process of its own, which has nothing else in its memory; V8's settings are those of `cli/lensmith`. */
export async function* manySamples(samples: number, every: number): AsyncGenerator<Mark> {
  const young = ['--max-semi-space-size=16', '--min-semi-space-size=16', '--no-parallel-scavenge'];
  const settings = [...young, '--heap-growing-percent=100', '--expose-gc'];
  const args = [...settings, import.meta.filename, String(samples), String(every)];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  for await (const line of createInterface(child.stdout)) yield markSchema.parse(JSON.parse(line));
  const [code] = await ended;
  if (code !== 0) throw new Error(`expected the evaluation of ${samples} samples to end well, it ended with ${code}`);
}

if (import.meta.main) {
  const [samples, every] = process.argv.slice(2).map(Number);
  await askMany(samples ?? 0, every ?? 1, (mark) => process.stdout.write(`${JSON.stringify(mark)}\n`));
}
