import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { makeData } from './make-data.ts';
import { startMock } from './mock-process.ts';

/** How far an evaluation of many samples was, after how long, with how much memory. */
export interface Mark {
  readonly samples: number;
  readonly seconds: number;
  readonly rssMib: number;
  readonly heapMib: number;
}

/** Asks many small samples in one turn each, in this process, and looks at its memory on the way. */
export const manySamples = async (samples: number, every: number): Promise<Mark[]> => {
  const dir = await mkdtemp(join(tmpdir(), 'lensmith-bench-many-'));
  const mock = await startMock({ turns: 1, turnMs: 0 });
  const marks: Mark[] = [];
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
      episodeSeconds: 60,
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
        const { rss, heapUsed } = process.memoryUsage();
        const seconds = (performance.now() - started) / 1000;
        marks.push({ samples: done, seconds, rssMib: rss / 2 ** 20, heapMib: heapUsed / 2 ** 20 });
      },
    });
  } finally {
    await mock.close();
    await rm(dir, { recursive: true, force: true });
  }
  return marks;
};
