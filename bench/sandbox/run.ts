import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { print, quantile } from './figures.ts';
import { freshPython } from './fresh-python.ts';
import { measureIdleMemory } from './idle-memory.ts';
import { measureOwnTime } from './in-process.ts';
import { jupyter } from './jupyter.ts';
import { measureLatencies, pauseMs } from './latencies.ts';
import { lensmithHttp, lensmithLibrary } from './lensmith-subjects.ts';
import { peerEnvironment } from './peer-environment.ts';
import { sandboxFusion } from './sandbox-fusion.ts';
import type { Subject } from './subject.ts';
import { measureThroughput } from './throughput.ts';

const usage = `Usage: scripts/bench sandbox [--rounds 30] [--json] [--no-peers] [--python FILE] [--cache FOLDER]
                             [--sandbox-fusion CHECKOUT]
The peers' packages are installed into a virtual environment below FOLDER at the first time.
`;
const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    json: { type: 'boolean', default: false },
    'no-peers': { type: 'boolean', default: false },
    python: { type: 'string', default: fileURLToPath(new URL('../../.venv/bin/python', import.meta.url)) },
    cache: { type: 'string', default: join(homedir(), '.cache', 'lensmith') },
    'sandbox-fusion': { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});
if (flags.help) {
  process.stdout.write(usage);
  process.exit();
}
const { python, json } = flags;

const pooled = await lensmithLibrary(python, 'lensmith, pool', 4);
const ours: Subject[] = [pooled, await lensmithLibrary(python, 'lensmith, no pool', 0), await lensmithHttp(python)];
const peers: Subject[] = [];
if (!flags['no-peers']) {
  const own = await peerEnvironment(python, flags.cache);
  peers.push(freshPython(python), jupyter(own));
  const checkout = flags['sandbox-fusion'];
  if (checkout !== undefined) peers.push(await sandboxFusion(own, checkout));
}
const subjects = [...ours, ...peers];

try {
  const latencies = await measureLatencies(subjects, Number(flags.rounds));
  const kinds = [
    ['new session to its first result', latencies.opened],
    ['further call, back to back', latencies.backToBack],
    ['further call, after 20 ms', latencies.paced],
  ] as const;
  for (const [name, values] of kinds) {
    for (const subject of subjects) {
      const own = values.get(subject.name);
      if (!own) continue;
      const best = quantile(values.get(pooled.name) ?? [], 0.5);
      const ratio = peers.includes(subject) ? quantile(own, 0.5) / best : null;
      const line = { case: name, subject: subject.name, unit: 'ms' };
      print({ ...line, value: quantile(own, 0.5), unit: 'ms p50', ratio }, json);
      print({ ...line, value: quantile(own, 0.95), unit: 'ms p95', ratio: null }, json);
    }
  }
  const ownMs = await measureOwnTime(python, 100, pauseMs);
  const beyond = 'beyond the code in plain Python';
  print({ case: beyond, subject: 'plain Python itself', value: ownMs, unit: 'ms p50', ratio: null }, json);
  for (const { name } of ours) {
    const value = quantile(latencies.paced.get(name) ?? [], 0.5) - ownMs;
    print({ case: beyond, subject: name, value, unit: 'ms p50', ratio: null }, json);
  }
  const { sessions, calls } = await measureThroughput(pooled, 4, 4);
  print({ case: 'throughput', subject: pooled.name, value: sessions, unit: 'sessions/s', ratio: null }, json);
  print({ case: 'throughput', subject: pooled.name, value: calls, unit: 'calls/s', ratio: null }, json);
  if (pooled.root !== undefined) {
    const own = await measureIdleMemory(pooled, pooled.root, 32);
    print({ case: 'memory of an idle session', subject: pooled.name, value: own, unit: 'MiB', ratio: null }, json);
    for (const peer of peers.filter(({ root }) => root !== undefined)) {
      const theirs = await measureIdleMemory(peer, peer.root ?? 0, 1);
      const figure = { case: 'memory of an idle session', subject: peer.name, value: theirs, unit: 'MiB' };
      print({ ...figure, ratio: theirs / own }, json);
    }
  }
} finally {
  await Promise.allSettled(subjects.map((subject) => subject.close()));
}
