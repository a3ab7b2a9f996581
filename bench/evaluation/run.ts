import { mkdtemp, rm } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { makeData } from './make-data.ts';
import { manySamples } from './many-samples.ts';
import { type Measured, type MeasureOptions, measureSubject } from './measure-subject.ts';
import { bareLoop, evalPy, inspectAi, lensmith, type Subject } from './subjects.ts';

const { values } = parseArgs({
  options: {
    /** `turns`, `histories`, `server`, `flight`, `many`, with commas between them. */
    cases: { type: 'string', default: 'turns,histories,server,flight,many' },
    samples: { type: 'string', default: '400' },
    concurrency: { type: 'string', default: '8,32,64,256' },
    many: { type: 'string', default: '100000' },
    'in-flight': { type: 'string', default: '512' },
    /** A checkout of CodeDance-VL/CodeDance; without it eval.py is left out. */
    codedance: { type: 'string' },
    'no-inspect': { type: 'boolean', default: false },
    /** Folder that keeps the peers' packages. */
    cache: { type: 'string', default: join(tmpdir(), 'lensmith-bench') },
    seconds: { type: 'string', default: '300' },
    json: { type: 'boolean', default: false },
  },
});
const samples = Number(values.samples);
const concurrency = values.concurrency.split(',').map(Number);
const seconds = Number(values.seconds);
const cases = new Set(values.cases.split(','));

const say = (line: string): void => {
  (values.json ? process.stderr : process.stdout).write(`${line}\n`);
};
const figure = (name: string, subject: string, value: number, unit: string, ratio: number | null = null): void => {
  if (values.json)
    process.stdout.write(`${JSON.stringify({ bench: 'evaluation', case: name, subject, value, unit, ratio })}\n`);
};

type Run = Measured & { readonly subject: string; readonly workers: number; readonly samples: number };

/** All clients at all concurrencies, in turn, so that what else the machine does falls on all of them. */
const interleave = async (
  subjects: readonly Subject[],
  count: number,
  workers: readonly number[],
  options: Omit<MeasureOptions, 'workers' | 'seconds'>,
): Promise<Run[]> => {
  const runs: Run[] = [];
  for (const each of workers)
    for (const subject of subjects) {
      if ((subject.workerMib * each) / 1024 > (0.7 * freemem()) / 2 ** 30) {
        say(`${subject.name} with ${each} at a time is left out: the machine has too little memory for it`);
        continue;
      }
      const measured = await measureSubject(subject, { ...options, workers: each, seconds });
      if (measured.code !== 0) say(`${subject.name} with ${each} ended with ${measured.code}: ${measured.output}`);
      runs.push({ ...measured, subject: subject.name, workers: each, samples: count });
    }
  return runs;
};

const cpuOf = (run: Run): number => run.cpu / Math.max(1, run.answered);

/** Each client's quickest run that answered everything. */
const bestOf = (runs: readonly Run[]): Map<string, Run> => {
  const best = new Map<string, Run>();
  for (const run of runs)
    if (run.answered >= run.samples && run.rate > (best.get(run.subject)?.rate ?? 0)) best.set(run.subject, run);
  return best;
};

const tell = (name: string, runs: readonly Run[]): void => {
  const table = new Table({
    head: [
      name,
      'at a time',
      'samples/s',
      'ms CPU/sample',
      'wall s',
      'peak MiB',
      'in flight',
      'loop p99 ms',
      'answered',
    ],
    style: { head: [], border: [] },
  });
  for (const run of runs)
    table.push([
      run.subject,
      run.workers,
      run.rate.toFixed(1),
      (1000 * cpuOf(run)).toFixed(1),
      run.wall.toFixed(1),
      run.peakMib.toFixed(0),
      run.mostInFlight,
      run.loopDelayMs?.toFixed(1) ?? '',
      `${run.answered}/${run.samples}${run.timedOut ? ' stopped' : ''}`,
    ]);
  say(table.toString());
  const best = bestOf(runs);
  const ours = best.get('lensmith');
  for (const [subject, run] of best) {
    const ratio = ours && subject !== 'lensmith' ? ours.rate / run.rate : null;
    const cpuRatio = ours && subject !== 'lensmith' ? cpuOf(run) / cpuOf(ours) : null;
    figure(name, subject, run.rate, 'samples/s', ratio);
    figure(name, subject, cpuOf(run), 'CPU s/sample', cpuRatio);
    figure(name, subject, run.peakMib, 'MiB');
    if (run.loopDelayMs !== undefined) figure(name, subject, run.loopDelayMs, 'ms loop delay p99');
    if (ratio !== null && cpuRatio !== null)
      say(
        `lensmith over ${subject}, best against best: ${ratio.toFixed(2)} × the rate, 1/${cpuRatio.toFixed(2)} of the CPU`,
      );
  }
};

const dir = await mkdtemp(join(tmpdir(), 'lensmith-bench-data-'));
try {
  const peers: Subject[] = [
    ...(values['no-inspect'] ? [] : [await inspectAi(values.cache)]),
    ...(values.codedance === undefined ? [] : [await evalPy(values.cache, values.codedance)]),
  ];
  const clients = [lensmith, ...peers, bareLoop];
  if (cases.has('turns')) {
    const data = await makeData(dir, samples, 200_000);
    tell(
      'two turns of 50 ms, 200 kB images',
      await interleave(clients, samples, concurrency, { data, turns: 2, turnMs: 50 }),
    );
  }
  if (cases.has('histories')) {
    const count = Math.ceil(samples / 8);
    const data = await makeData(dir, count, 3_750_000);
    const most = concurrency.filter((each) => each <= 64);
    tell('two turns of 50 ms, 5 MB histories', await interleave(clients, count, most, { data, turns: 2, turnMs: 50 }));
  }
  if (cases.has('server')) {
    // Sixteen turns of 400 ms at a time: 40 turns a second, whoever asks.
    const count = Math.max(96, Math.ceil(samples / 2));
    const data = await makeData(dir, count, 200_000);
    const options = { data, turns: 2, turnMs: 400, slots: 16 };
    tell('the server is the limit', await interleave([lensmith, bareLoop], count, [64], options));
  }
  if (cases.has('flight')) {
    const inFlight = Number(values['in-flight']);
    const count = 2 * inFlight;
    const data = await makeData(dir, count, 200_000);
    // With turns of 4 s most episodes have a session open while they wait for the model.
    for (const turnMs of [50, 4000]) {
      const options = { data, turns: 2, turnMs };
      tell(`${inFlight} in flight, turns of ${turnMs} ms`, await interleave([lensmith], count, [inFlight], options));
    }
  }
  if (cases.has('many')) {
    const count = Number(values.many);
    for await (const mark of manySamples(count, Math.ceil(count / 10))) {
      const { samples: done, seconds: after, cpuSeconds, rssMib, heapMib } = mark;
      say(
        `${done} samples after ${after.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s CPU, ${rssMib.toFixed(0)} MiB resident, ${heapMib.toFixed(0)} MiB heap`,
      );
      figure(`${done} of ${count} samples`, 'lensmith', rssMib, 'MiB');
      figure(`${done} of ${count} samples`, 'lensmith', after, 's');
    }
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}
