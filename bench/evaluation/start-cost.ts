import type { Report } from './report.ts';
import { type RunOptions, runSubject } from './run-subject.ts';
import type { Subject } from './subjects.ts';

const fewSamples = 4;

/**
 * Says what each client's start takes: the CPU seconds of a run of so few samples that these hardly count.
 *
 * @returns The seconds by the client's name.
 * @throws Error for a client that does not run.
 */
export const measureStarts = async (
  report: Report,
  subjects: readonly Subject[],
  dataOf: (samples: number) => Promise<string>,
  run: Omit<RunOptions, 'data' | 'samples'>,
): Promise<ReadonlyMap<string, number>> => {
  const data = await dataOf(fewSamples);
  const starts = new Map<string, number>();
  for (const subject of subjects) {
    const measured = await runSubject(report, subject, fewSamples, { ...run, samples: fewSamples, data });
    if (!measured) continue;
    if (measured.code !== 0) throw new Error(`${subject.name} does not run: it ended with ${measured.code}`);
    starts.set(subject.name, measured.cpu);
    report.figure(`start, with ${fewSamples} samples`, subject.name, measured.cpu, 'CPU s');
    report.say(`${subject.name}: a run of ${fewSamples} samples takes ${measured.cpu.toFixed(1)} s CPU`);
  }
  return starts;
};
