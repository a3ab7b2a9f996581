import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { type MockOptions, startMock } from './mock-process.ts';
import type { Subject } from './subjects.ts';

const measuredSchema = z.object({
  code: z.number(),
  timedOut: z.boolean(),
  wall: z.number(),
  cpu: z.number(),
  /** Null where the run was over before its memory was looked at. */
  peakMib: z.number().nullable(),
});

/** What one run of a client came to. */
export interface Measured extends z.infer<typeof measuredSchema> {
  /** Samples whose last turn was asked for, over the time from the first request to the last answer. */
  readonly rate: number;
  readonly answered: number;
  /** Questions that the judge got. */
  readonly judged: number;
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
  /** Seconds between looks at the memory, which cost more with more processes. @default 0.5 */
  readonly memoryEvery?: number;
  /**
   * Folder that keeps what the client writes. To remove it between runs would be paid by the next one: the file system
   * looks past what was removed lately for each file that it makes.
   */
  readonly dir: string;
}

/** Runs a client against a mock server of its own and says what it took. */
export const measureSubject = async (subject: Subject, options: MeasureOptions): Promise<Measured> => {
  const out = await mkdtemp(join(options.dir, 'run-'));
  const mock = await startMock(options);
  try {
    const work = { ...options, url: mock.url, out };
    const figures = join(out, 'measured.json');
    const limits = ['--seconds', String(options.seconds), '--memory-every', String(options.memoryEvery ?? 0.5)];
    const args = [join(import.meta.dirname, 'measure.py'), '--out', figures, ...limits, '--', ...subject.command(work)];
    const child = spawn('python3', args, {
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
      judged: stats.judgements,
      mostInFlight: stats.most,
      loopDelayMs: delay === undefined ? undefined : Number(delay),
      output: measured.code === 0 ? '' : output,
    };
  } finally {
    await mock.close();
  }
};
