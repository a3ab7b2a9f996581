import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type CompareOptions, compareBest } from './compare-best.ts';
import { makeData } from './make-data.ts';
import { type Mark, manySamples } from './many-samples.ts';
import { createReport, type Run } from './report.ts';
import { interleave } from './run-subject.ts';
import { median, spread } from './spread.ts';
import { measureStarts } from './start-cost.ts';
import { bareLoop, evalPy, inspectAi, lensmith, type Subject } from './subjects.ts';
import { tellMany } from './tell-many.ts';

const { values } = parseArgs({
  options: {
    /** `peers`, `turns`, `histories`, `large`, `server`, `flight`, `many`, with commas between them. */
    cases: { type: 'string', default: 'peers,histories,large,server,flight,many' },
    /**
     * Samples of a run, by default 600; a case of larger work takes a part of them. In the comparisons with the peers each
     * client gets so many, where it is given.
     */
    samples: { type: 'string' },
    /** Of `peers`, `histories` and `large`, without `--samples`: a client gets as many samples as it does in so many seconds. */
    seconds: { type: 'string', default: '60' },
    /** Of the same: least samples of a try of the search for the best concurrency, and rounds at the best. */
    'search-samples': { type: 'string', default: '160' },
    rounds: { type: 'string', default: '2' },
    /**
     * Of `peers`, `histories` and `large`: `plain` is sent each image with each turn by every client; `vllm` keeps images
     * under their id and says so, as vLLM does.
     */
    server: { type: 'string', default: 'plain' },
    /** Of `turns`; of `histories` and `large` what of it is at most 64. */
    concurrency: { type: 'string', default: '8,32,64,256' },
    many: { type: 'string', default: '100000' },
    'in-flight': { type: 'string', default: '512' },
    /** A checkout of CodeDance-VL/CodeDance; without it eval.py is left out. */
    codedance: { type: 'string' },
    'no-inspect': { type: 'boolean', default: false },
    /** Folder that keeps the peers' packages. */
    cache: { type: 'string', default: join(tmpdir(), 'lensmith-bench') },
    /** Seconds after which a client is stopped; by default the more the more samples there are. */
    'stop-after': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
if (!['vllm', 'plain'].includes(values.server))
  throw new Error(`--server: expected vllm or plain, got "${values.server}"`);
const samples = Number(values.samples ?? 600);
const concurrency = values.concurrency.split(',').map(Number);
const cases = new Set(values.cases.split(','));
const report = createReport(values.json);

const dir = await mkdtemp(join(tmpdir(), 'lensmith-bench-data-'));
const stopAfter = values['stop-after'];
const run = { dir, ...(stopAfter === undefined ? {} : { seconds: Number(stopAfter) }) };

const made = new Map<string, Promise<string>>();
const dataOf = (count: number, imageBytes = 200_000): Promise<string> => {
  const key = `${count} ${imageBytes}`;
  const data = made.get(key) ?? makeData(dir, count, imageBytes);
  made.set(key, data);
  return data;
};

const tell = (name: string, runs: readonly Run[]): void => {
  report.table(name, runs);
  for (const { subject, workers, rate, loopDelayMs } of runs) {
    report.figure(`${name}, ${workers} at a time`, subject, rate, 'samples/s');
    if (loopDelayMs !== undefined)
      report.figure(`${name}, ${workers} at a time`, subject, loopDelayMs, 'ms loop delay p99');
  }
  const delays = runs.flatMap(({ loopDelayMs }) => (loopDelayMs === undefined ? [] : [loopDelayMs]));
  const worst = Math.max(...delays);
  if (delays.length > 0)
    report.bar("p99 of the event loop's delay under 50 ms", `${worst.toFixed(1)} ms at worst`, worst < 50);
};

try {
  const peers: Subject[] = [
    ...(values['no-inspect'] ? [] : [await inspectAi(values.cache)]),
    ...(values.codedance === undefined ? [] : [await evalPy(values.cache, values.codedance)]),
  ];
  const clients = [lensmith, ...peers, bareLoop];
  // To look at the memory of many processes costs those who have many the most: it is looked at in other cases.
  const besidePeers = { ...run, turns: 2, turnMs: 50, memoryEvery: 10, keepsMedia: values.server === 'vllm' };
  const starts = ['peers', 'histories', 'large'].some((each) => cases.has(each))
    ? await measureStarts(report, [lensmith, ...peers], dataOf, besidePeers)
    : new Map<string, number>();
  const compare = async (options: Omit<CompareOptions, 'ours' | 'peers' | 'rounds' | 'starts'>) => {
    const rounds = Number(values.rounds);
    const all = { ...options, ours: lensmith, peers, rounds, starts };
    if (await compareBest(report, all)) return;
    report.say(`${options.name}: not every run answered and judged every sample`);
    process.exitCode = 1;
  };
  const seconds = Number(values.seconds);
  const isCounted = values.samples !== undefined;
  if (cases.has('peers')) {
    const ladder = [8, 16, 32, 64, 128, 256];
    const searchSamples = Number(values['search-samples']);
    const size = isCounted ? { samples } : { seconds, least: 400 };
    await compare({ name: 'each at its best', ladder, searchSamples, size, dataOf, run: besidePeers });
  }
  if (cases.has('turns')) {
    const options = { ...run, samples, data: await dataOf(samples), turns: 2, turnMs: 50 };
    tell('two turns of 50 ms, 200 kB images', await interleave(report, clients, concurrency, options));
  }
  // Of samples with much to send a client does a twelfth of those that have little, or fewer.
  const much = {
    ladder: concurrency.filter((each) => each <= 64),
    searchSamples: Math.ceil(Number(values['search-samples']) / 12),
    size: isCounted ? { samples: Math.ceil(samples / 12) } : { seconds, least: 40 },
  };
  if (cases.has('histories')) {
    // Each of five turns adds three parts of the picture as PNG, which for noise is 233 kB each, and 310 kB in a request.
    const run = { ...besidePeers, turns: 6, shown: { images: 3, bytes: 932_000 } };
    await compare({ ...much, name: '5 MB histories', dataOf, run });
  }
  if (cases.has('large')) {
    const data = (count: number) => dataOf(count, 3_750_000);
    await compare({ ...much, name: 'images of 5 MB', dataOf: data, run: besidePeers });
  }
  if (cases.has('server')) {
    // Sixteen turns of 400 ms at a time: 40 turns a second, whoever asks.
    const count = Math.max(96, Math.ceil(samples / 3));
    const options = { ...run, samples: count, data: await dataOf(count), turns: 2, turnMs: 400, slots: 16 };
    const runs = await interleave(report, [lensmith, bareLoop], [64, 64, 64], options);
    tell('the server is the limit', runs);
    const rates = (subject: Subject): number[] =>
      runs.filter((each) => each.subject === subject.name).map(({ rate }) => rate);
    const share = rates(lensmith).map((rate, round) => (100 * rate) / (rates(bareLoop)[round] ?? Number.NaN));
    report.bar('90 % of the rate of a bare loop', `${spread(share)} %`, median(share) >= 90);
  }
  if (cases.has('flight')) {
    const inFlight = Number(values['in-flight']);
    const count = 2 * inFlight;
    const data = await dataOf(count);
    // With turns of 4 s most episodes have a session open while they wait for the model.
    for (const turnMs of [50, 4000]) {
      const options = { ...run, samples: count, data, turns: 2, turnMs };
      const runs = await interleave(report, [lensmith], [inFlight], options);
      tell(`${inFlight} in flight, turns of ${turnMs} ms`, runs);
      const peak = Math.max(...runs.map(({ peakMib }) => peakMib ?? Number.NaN));
      report.figure(`${inFlight} in flight, turns of ${turnMs} ms`, lensmith.name, peak, 'MiB');
      const megabytes = (peak * 2 ** 20) / 1e6;
      if (turnMs === 50) report.bar('under 600 MB in all', `${megabytes.toFixed(0)} MB`, megabytes < 600);
    }
  }
  if (cases.has('many')) {
    const count = Number(values.many);
    const marks: Mark[] = [];
    for await (const mark of manySamples(count, Math.ceil(count / 10))) {
      const { samples: done, seconds: after, cpuSeconds, rssMib, liveMib } = mark;
      report.say(
        `${done} samples after ${after.toFixed(1)} s, ${cpuSeconds.toFixed(1)} s CPU, ${rssMib.toFixed(0)} MiB resident, ${liveMib.toFixed(1)} MiB of it in use`,
      );
      report.figure(`${done} of ${count} samples`, 'lensmith', rssMib, 'MiB');
      report.figure(`${done} of ${count} samples`, 'lensmith', liveMib, 'MiB in use');
      report.figure(`${done} of ${count} samples`, 'lensmith', after, 's');
      marks.push(mark);
    }
    tellMany(report, marks);
  }
} finally {
  await rm(dir, { recursive: true, force: true });
}
