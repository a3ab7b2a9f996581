import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { createMathWorker } from '../../scoring/rules/math-worker.ts';
import { type GoldenAnswer, readGoldenAnswers, ruleOutcome } from '../../tests/support/golden-answers.ts';
import { askPeer, fetchLmmsEval, type Peer, peerRow, sharedKinds } from './peers.ts';
import { secondsOfEpisodes, secondsOfRules } from './throughput.ts';

const { values } = parseArgs({
  options: {
    /** A checkout of open-compass/VLMEvalKit; without it that peer is left out. */
    vlmevalkit: { type: 'string' },
    /** A folder with the package lmms_eval; without it pip fetches it. */
    'lmms-eval': { type: 'string' },
    'no-lmms-eval': { type: 'boolean', default: false },
    python: { type: 'string', default: fileURLToPath(new URL('../../.venv/bin/python', import.meta.url)) },
    /** Folder that keeps the peers' packages. */
    cache: { type: 'string', default: join(tmpdir(), 'lensmith-bench') },
    traces: { type: 'string', default: '10000' },
    json: { type: 'boolean', default: false },
  },
});
const { python } = values;
const repeats = 40;

const say = (line: string): void => {
  (values.json ? process.stderr : process.stdout).write(`${line}\n`);
};
const figure = (name: string, subject: string, value: number, unit: string, ratio: number | null = null): void => {
  if (values.json)
    process.stdout.write(`${JSON.stringify({ bench: 'scoring', case: name, subject, value, unit, ratio })}\n`);
};

const openVerdicts: ReadonlySet<string> = new Set(['unparsed', 'judge']);
/** A rule that abstains agrees with a label that no rule is to decide. */
const agrees = (outcome: string, { verdict }: GoldenAnswer): boolean =>
  outcome === verdict || (openVerdicts.has(outcome) && openVerdicts.has(verdict));

interface Decided {
  readonly name: string;
  readonly outcomes: readonly string[];
  readonly seconds: number;
}

const share = (count: number, of: number): string => `${((100 * count) / of).toFixed(1)} %`;

/** One line for each subject: agreement, and the two errors that no judge can mend. */
const tell = (
  name: string,
  rows: readonly GoldenAnswer[],
  subjects: readonly Decided[],
  indices: readonly number[],
): void => {
  if (indices.length === 0) return;
  const table = new Table({
    head: [`${name}, ${indices.length} answers`, 'agrees', 'accepts falsely', 'rejects falsely', 'leaves open'],
    style: { head: [], border: [] },
  });
  const pairs = (subject: Decided) =>
    indices.flatMap((index) => {
      const [row, outcome] = [rows[index], subject.outcomes[index]];
      return row && outcome !== undefined ? [{ row, outcome }] : [];
    });
  const rates = subjects.map((subject) => {
    const all = pairs(subject);
    const agreed = all.filter(({ row, outcome }) => agrees(outcome, row)).length;
    const accepted = all.filter(({ row, outcome }) => outcome === 'correct' && row.verdict !== 'correct').length;
    const rejected = all.filter(({ row, outcome }) => outcome === 'wrong' && row.verdict !== 'wrong').length;
    const decidable = all.filter(({ row }) => !openVerdicts.has(row.verdict));
    const open = decidable.filter(({ outcome }) => openVerdicts.has(outcome)).length;
    table.push([
      subject.name,
      share(agreed, all.length),
      accepted,
      rejected,
      share(open, Math.max(1, decidable.length)),
    ]);
    return { name: subject.name, agreement: agreed / all.length, accepted, rejected };
  });
  say(table.toString());
  const ours = rates.find((rate) => rate.name === 'lensmith');
  for (const rate of rates) {
    const ratio = ours && rate !== ours && rate.agreement > 0 ? ours.agreement / rate.agreement : null;
    figure(`${name}: agreement`, rate.name, rate.agreement, 'share', ratio);
    figure(`${name}: false accepts`, rate.name, rate.accepted, 'answers');
    figure(`${name}: false rejects`, rate.name, rate.rejected, 'answers');
  }
};

const peers: Peer[] = [];
if (!values['no-lmms-eval']) {
  const given = values['lmms-eval'];
  peers.push(given === undefined ? await fetchLmmsEval(values.cache, python) : { name: 'lmms-eval', source: given });
}
if (values.vlmevalkit !== undefined) peers.push({ name: 'vlmevalkit', source: values.vlmevalkit });

const math = createMathWorker({ python });
try {
  const golden = await readGoldenAnswers();
  const shared = golden.flatMap((row) => {
    const given = peerRow(row);
    return given ? [{ row, given }] : [];
  });
  const rows = shared.map(({ row }) => row);
  const own: string[] = [];
  for (const row of rows) own.push((await ruleOutcome(row, math)).outcome);
  const subjects: Decided[] = [{ name: 'lensmith', outcomes: own, seconds: await secondsOfRules(rows, repeats, math) }];
  for (const peer of peers) {
    const decided = await askPeer(
      peer,
      shared.map(({ given }) => given),
      { python, repeats },
    );
    subjects.push({ name: peer.name, ...decided });
  }
  const every = [...rows.keys()];
  tell('all kinds', rows, subjects, every);
  for (const kind of sharedKinds)
    tell(
      kind,
      rows,
      subjects,
      every.filter((index) => rows[index]?.kind === kind),
    );

  const rate = ({ seconds }: Decided): number => (rows.length * repeats) / seconds;
  const [ours] = subjects;
  for (const subject of subjects) {
    say(`${subject.name}: ${rate(subject).toFixed(0)} answers in a second of one core`);
    const ratio = ours && subject !== ours ? rate(ours) / rate(subject) : null;
    figure('rules', subject.name, rate(subject), 'answers/s/core', ratio);
  }
  const plain = golden.filter(({ kind }) => kind !== 'math');
  const count = Number(values.traces);
  const seconds = await secondsOfEpisodes(plain, count, math);
  say(`lensmith: ${count} traces graded by rules in ${seconds.toFixed(2)} s of one core`);
  figure(`${count} traces by rules`, 'lensmith', seconds, 's of one core');
} finally {
  await math.close();
}
