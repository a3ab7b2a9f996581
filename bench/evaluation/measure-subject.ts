import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type MockOptions, startMock } from './mock-process.ts';
import type { Subject } from './subjects.ts';

const measuredSchema = z.object({
  code: z.number(),
  timedOut: z.boolean(),
  wall: z.number(),
  cpu: z.number(),
  peakMib: z.number(),
});

/** What one run of a client came to. */
export interface Measured extends z.infer<typeof measuredSchema> {
  /** Samples whose last turn was asked for, over the time from the first request to the last answer. */
  readonly rate: number;
  readonly answered: number;
  readonly mostInFlight: number;
  /** p99 of the event loop's delay, milliseconds; undefined where the client has none to tell. */
  readonly loopDelayMs: number | undefined;
  /** The last lines of its output, where it failed. */
  readonly output: string;
}

export interface MeasureOptions extends MockOptions {
  readonly data: string;
  readonly workers: number;
  /** Seconds after which the client is stopped. */
  readonly seconds: number;
}

/** Runs a client against a mock server of its own and says what it took. */
export const measureSubject = async (subject: Subject, options: MeasureOptions): Promise<Measured> => {
  const out = await mkdtemp(join(tmpdir(), 'lensmith-bench-run-'));
  const mock = await startMock(options);
  try {
    const work = { ...options, url: mock.url, out };
    const figures = join(out, 'measured.json');
    const limits = ['--out', figures, '--seconds', String(options.seconds), '--'];
    const child = spawn('python3', [join(import.meta.dirname, 'measure.py'), ...limits, ...subject.command(work)], {
      env: { ...process.env, ...subject.env(work) },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    const keep = (piece: Buffer): void => {
      output = (output + piece.toString()).slice(-2000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    await once(child, 'close');
    const measured = measuredSchema.parse(JSON.parse(await readFile(figures, 'utf8')));
    const stats = await mock.stats();
    const delay = await readFile(join(out, 'loop-delay'), 'utf8').catch(() => undefined);
    return {
      ...measured,
      rate: stats.answers / Math.max(0.001, (stats.last - stats.first) / 1000),
      answered: stats.answers,
      mostInFlight: stats.most,
      loopDelayMs: delay === undefined ? undefined : Number(delay),
      output: measured.code === 0 ? '' : output,
    };
  } finally {
    await mock.close();
    await rm(out, { recursive: true, force: true });
  }
};
