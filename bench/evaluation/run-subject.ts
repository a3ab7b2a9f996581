import { freemem } from 'node:os';
import { type MeasureOptions, measureSubject } from './measure-subject.ts';
import type { Report, Run } from './report.ts';
import type { Subject } from './subjects.ts';

export interface RunOptions extends Omit<MeasureOptions, 'workers' | 'seconds'> {
  readonly samples: number;
  /** Seconds after which the client is stopped. @default the more the more samples there are */
  readonly seconds?: number;
}

/** Runs a client once; undefined where the machine has too little memory for that many at a time. */
export const runSubject = async (
  report: Report,
  subject: Subject,
  workers: number,
  options: RunOptions,
): Promise<Run | undefined> => {
  if ((subject.workerMib * workers) / 1024 > (0.7 * freemem()) / 2 ** 30) {
    report.say(`${subject.name} with ${workers} at a time is left out: the machine has too little memory for it`);
    return undefined;
  }
  const seconds = options.seconds ?? 300 + options.samples / 5;
  const measured = await measureSubject(subject, { ...options, seconds, workers });
  if (measured.code !== 0)
    report.say(`${subject.name} with ${workers} at a time ended with ${measured.code}: ${measured.output}`);
  return { ...measured, subject: subject.name, workers, samples: options.samples };
};

/** All clients at all concurrencies, in turn, so that what else the machine does falls on all of them. */
export const interleave = async (
  report: Report,
  subjects: readonly Subject[],
  workers: readonly number[],
  options: RunOptions,
): Promise<Run[]> => {
  const runs: Run[] = [];
  for (const each of workers)
    for (const subject of subjects) {
      const run = await runSubject(report, subject, each, options);
      if (run) runs.push(run);
    }
  return runs;
};
