import { createHash } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { createReport } from '../evaluation/report.ts';
import { bareLoop } from './bare-loop.ts';
import { noisePng, playMany } from './play-many.ts';
import { startEndpoints } from './start-endpoints.ts';

interface Figure {
  readonly case: string;
  readonly subject: string;
  readonly value: number;
  readonly unit: string;
  /** Ours over the subject's bound or peer; better above 1. */
  readonly ratio: number | null;
}

const asJson = process.argv.includes('--json');
const print = (figure: Figure): void => {
  const line = `${figure.case.padEnd(30)} ${figure.subject.padEnd(26)} ${figure.value.toFixed(2).padStart(9)} ${figure.unit}`;
  const ratio = figure.ratio === null ? '' : `   x ${figure.ratio.toFixed(2)}`;
  process.stdout.write(`${asJson ? JSON.stringify({ bench: 'episodes', ...figure }) : `${line}${ratio}`}\n`);
};

const { bar } = createReport(asJson);

/** Seconds, CPU seconds of this process, and its highest resident memory meanwhile, MiB. */
const measured = async (action: () => Promise<unknown>) => {
  let memory = 0;
  const timer = setInterval(() => {
    memory = Math.max(memory, process.memoryUsage.rss() / 2 ** 20);
  }, 20);
  const delayed = monitorEventLoopDelay({ resolution: 5 });
  const cpu = process.cpuUsage();
  const started = performance.now();
  delayed.enable();
  await action();
  delayed.disable();
  clearInterval(timer);
  const { user, system } = process.cpuUsage(cpu);
  const loopMs = delayed.percentile(99) / 1e6;
  return { seconds: (performance.now() - started) / 1000, cpuSeconds: (user + system) / 1e6, memory, loopMs };
};

const eightEndpoints = async (): Promise<void> => {
  const [episodes, turns, places, ms] = [2000, 3, 4, 50];
  const facts = Array.from({ length: 8 }, (_, place) => ({ ms: place === 0 ? 5 * ms : ms, places }));
  const servers = await startEndpoints(facts);
  const image = await noisePng(20_000);
  let stayed = 0;
  const { seconds } = await measured(() =>
    playMany(
      {
        endpoints: servers.urls,
        episodes,
        concurrency: 64,
        image: () => image,
        onEnd: (ended) => {
          if (ended === episodes / 2) servers.kill(1);
        },
      },
      ({ turns: own }) => {
        stayed += own.filter(({ endpoint }) => endpoint === own[0]?.endpoint).length;
      },
    ),
  );
  await servers.close();
  const fast = places / (ms / 1000);
  const rate = (fastOnes: number): number => fastOnes * fast + fast / 5;
  const half = (episodes * turns) / 2;
  const ideal = half / rate(7) + half / rate(6);
  const name = 'eight endpoints';
  print({ case: name, subject: 'makespan', value: seconds, unit: 's', ratio: ideal / seconds });
  print({ case: name, subject: 'ideal', value: ideal, unit: 's', ratio: null });
  const share = (100 * stayed) / (episodes * turns);
  print({ case: name, subject: 'turns on the first one', value: share, unit: '%', ratio: null });
  bar('makespan at most 1.15 of the ideal', `${(seconds / ideal).toFixed(3)} of it`, seconds <= 1.15 * ideal);
  bar("95 % of turns on the episode's first endpoint", `${share.toFixed(2)} %`, share >= 95);
};

const oneEndpoint = async (name: string, bytes: number, concurrency: number, episodes: number): Promise<void> => {
  const servers = await startEndpoints([{ ms: 50, places: concurrency }]);
  const [url = ''] = servers.urls;
  const images = await Promise.all(Array.from({ length: 64 }, (_, seed) => noisePng(bytes, seed)));
  const imageOf = (place: number): Buffer => images[place % images.length] ?? Buffer.alloc(0);
  const ours = async (count: number): Promise<void> => {
    await playMany({ endpoints: servers.urls, episodes: count, concurrency, image: imageOf }, () => undefined);
  };
  const runs = { lensmith: ours, 'bare loop': (count: number) => bareLoop(url, count, concurrency, imageOf) };
  const rates: number[] = [];
  const delays: number[] = [];
  for (const [subject, run] of Object.entries(runs)) {
    await run(Math.min(concurrency, 64));
    const { seconds, cpuSeconds, memory, loopMs } = await measured(() => run(episodes));
    const rate = rates.push(episodes / seconds) && episodes / seconds;
    const ratio = subject === 'lensmith' ? null : (rates[0] ?? 0) / rate;
    print({ case: name, subject, value: rate, unit: 'episodes/s', ratio });
    print({ case: name, subject, value: (1000 * cpuSeconds) / episodes, unit: 'CPU ms/episode', ratio: null });
    print({ case: name, subject, value: memory, unit: 'MiB', ratio: null });
    print({ case: name, subject, value: loopMs, unit: 'ms loop delay p99', ratio: null });
    delays.push(loopMs);
  }
  await servers.close();
  const [own = Number.NaN, bare = Number.NaN] = rates;
  bar('90 % of the rate of a bare loop', `${((100 * own) / bare).toFixed(1)} %`, own >= 0.9 * bare);
  const [delayed = Number.NaN] = delays;
  bar("p99 of the event loop's delay under 50 ms", `${delayed.toFixed(1)} ms`, delayed < 50);
};

/** Episodes whose histories have about 5 MB each, no two images alike. */
const longHistories = async (): Promise<void> => {
  const servers = await startEndpoints([{ ms: 200, places: 512 }]);
  const [input, data] = await Promise.all([noisePng(20_000), noisePng(1_800_000)]);
  const digest = createHash('sha256');
  let made = 0;
  const picture = {
    mediaType: 'image/png' as const,
    width: 775,
    height: 775,
    data: data.toString('base64'),
    get digest() {
      made += 1;
      return digest.copy().update(`${made}`).digest('hex');
    },
  };
  const episodes = 512;
  const { seconds, memory, loopMs } = await measured(() =>
    playMany(
      { endpoints: servers.urls, episodes, concurrency: 512, image: () => input, produced: [picture] },
      () => undefined,
    ),
  );
  const name = '512 histories of 5 MB';
  print({ case: name, subject: 'lensmith', value: episodes / seconds, unit: 'episodes/s', ratio: null });
  print({ case: name, subject: 'lensmith', value: memory, unit: 'MiB', ratio: null });
  print({ case: name, subject: 'lensmith', value: loopMs, unit: 'ms loop delay p99', ratio: null });
  await servers.close();
};

const cases: Readonly<Record<string, () => Promise<void>>> = {
  endpoints: eightEndpoints,
  'in-flight-64': () => oneEndpoint('200 KB images, 64 in flight', 200_000, 64, 1500),
  'in-flight-256': () => oneEndpoint('200 KB images, 256 in flight', 200_000, 256, 2000),
  histories: longHistories,
};

const asked = process.argv.slice(2).filter((argument) => argument !== '--json');
const unknown = asked.find((name) => !Object.hasOwn(cases, name));
if (unknown !== undefined) throw new Error(`expected cases out of ${Object.keys(cases).join(', ')}, got "${unknown}"`);
for (const [name, run] of Object.entries(cases)) if (asked.length === 0 || asked.includes(name)) await run();
