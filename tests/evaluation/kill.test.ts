import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SampleEntry } from '../../evaluation/journal-entry.ts';
import { readJournal } from '../../evaluation/read-journal.ts';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { seededRandom } from '../../evaluation/statistics/seeded-random.ts';
import { codeTurn } from '../episodes/play.ts';
import { startAbandonedServer } from './abandoned-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from './digit-set.ts';

/** `LENSMITH_KILLS=20 LENSMITH_KILL_SEED=5 vitest run tests/evaluation/kill.test.ts` for a longer run. */
const kills = Number(process.env.LENSMITH_KILLS ?? 4);
const random = seededRandom(Number(process.env.LENSMITH_KILL_SEED ?? 1));
const samples = 30 + 10 * kills;
const concurrency = 8;

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-kill-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

/** The journal's samples by id; none before there is a journal. */
const entriesOf = async (outputDir: string): Promise<Map<string, SampleEntry>> => {
  const path = join(outputDir, 'journal.jsonl');
  const entries = new Map<string, SampleEntry>();
  if (await stat(path).catch(() => undefined))
    await readJournal(path, { onHeader: () => undefined, onSample: (entry) => entries.set(entry.sampleId, entry) });
  return entries;
};

/** What must be equal: all but the times and the address. */
const content = ({ sampleId, attempt, row, episode, grade }: SampleEntry) => ({
  ...{ sampleId, attempt, row, grade },
  ending: episode.ending,
  answer: episode.answer,
  turns: episode.turns.map(({ text, reply, call }) => ({ text, reply, stdout: call?.stdout })),
});

const sorted = (entries: ReadonlyMap<string, SampleEntry>) =>
  [...entries.values()].map(content).sort((a, b) => (a.row ?? 0) - (b.row ?? 0));

test(`killed ${kills} times, nothing that is in the journal is asked again, and it ends as if undisturbed`, async () => {
  const dataset = await writeDigitSet(dir, samples);
  let onRequest: () => void = () => undefined;
  let completed: ReadonlyMap<string, SampleEntry> = new Map();
  const askedTwice: string[] = [];
  const server = await startAbandonedServer(async (request) => {
    onRequest();
    const index = askedIndex(request);
    if (completed.has(`test-${index}`)) askedTwice.push(`test-${index}`);
    await delay(2 + 10 * random());
    return request.messages.length < 3 ? codeTurn(`print(${index})`) : `<answer>${index % 5 ? index : -1}</answer>`;
  });
  const outputDir = join(dir, 'killed');
  const program = join(import.meta.dirname, 'fixtures/evaluate.ts');
  try {
    for (let kill = 0; kill < kills; kill += 1) {
      const child = spawn(process.execPath, [program, dataset, outputDir, server.url, String(concurrency), '400']);
      let left = 1 + Math.floor(random() * 40);
      onRequest = () => {
        left -= 1;
        if (left === 0) setTimeout(() => child.kill('SIGKILL'), 12 * random());
      };
      await once(child, 'exit');
      completed = await entriesOf(outputDir);
    }
    expect(completed.size).toBeGreaterThan(0);
    onRequest = () => undefined;
    const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url], concurrency });
    const result = await runEvaluation(options);
    expect(askedTwice).toEqual([]);
    completed = new Map();
    const undisturbed = { ...options, outputDir: join(dir, 'undisturbed') };
    expect({ ...result, seconds: 0 }).toEqual({ ...(await runEvaluation(undisturbed)), seconds: 0 });
    const [killed, whole] = await Promise.all([entriesOf(outputDir), entriesOf(undisturbed.outputDir)]);
    expect(killed.size).toBe(samples);
    expect(sorted(killed)).toEqual(sorted(whole));
  } finally {
    await server.close();
  }
}, 240_000);
