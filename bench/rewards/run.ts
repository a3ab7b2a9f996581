import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import type { Episode } from '../../domain/episode.ts';
import { rewardNames } from '../../domain/score.ts';
import { gradeEpisode } from '../../scoring/grade-episode.ts';
import type { GradedEpisode } from '../../scoring/rewards/reward.ts';
import { rewards } from '../../scoring/rewards/rewards.ts';
import { scoreGroups } from '../../scoring/rewards/score-group.ts';

const { values } = parseArgs({
  options: {
    traces: { type: 'string', default: '10000' },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean' },
  },
});
const [count, rounds] = [Number(values.traces), Number(values.rounds)];
const groupSize = 8;

const codes = [
  'img.rotate(270, expand=True)',
  'part = img.crop((40, 30, 80, 60))\npart',
  'print(3 + 5)',
  '# look\nprint(8)',
];

/** Two calls with code, one with an image that has a known place, then an answer; a trace of some kilobytes. */
const traceOf = (index: number): Episode => {
  const turns = [0, 1].map((turn) => {
    const failed = (index + turn) % 7 === 0;
    return {
      text: `<think>${'I look at the sign in the upper left. '.repeat(20)}</think><code>${codes[(index + turn) % codes.length]}</code>`,
      finishReason: 'stop',
      promptTokens: 900,
      completionTokens: 180,
      endpoint: 'local',
      startedAt: 0,
      durationMs: 900,
      call: {
        code: codes[(index + turn) % codes.length] ?? '',
        outcome: failed ? ('exception' as const) : ('ok' as const),
        stdout: failed ? '' : '8\n',
        stderr: '',
        images: failed ? [] : [{ digest: `${index}-${turn}`, width: 40, height: 30 }],
        error: failed ? { type: 'NameError', message: "name 'x' is not defined", line: 1, traceback: '' } : null,
        durationMs: 12,
        isolation: 'namespaces' as const,
      },
      reply: failed ? 'NameError' : '8 {images}',
    };
  });
  const answer = index % 3 === 0 ? '9' : '8';
  return {
    version: 1,
    episodeId: `${index}`,
    task: {
      sampleId: `${Math.floor(index / groupSize)}`,
      dataSource: 'bench',
      question: 'How many?',
      reference: '8',
      answerKind: 'number',
      family: 'count',
      transform: 'crop+rotate_90',
      needs: { orientation: 'rotate_270', box: [40, 30, 80, 60] },
    },
    protocol: { name: 'codedance', version: 1, digest: 'p' },
    model: 'm',
    inputImages: [{ digest: 'input', width: 160, height: 100 }],
    turns: [
      ...turns,
      {
        ...(turns[0] as Episode['turns'][number]),
        text: `<think>so</think><answer>${answer}</answer>`,
        call: null,
        reply: null,
      },
    ],
    ending: 'answered',
    answer,
    error: null,
  };
};

const traces = Array.from({ length: count }, (_, index) => traceOf(index));
const graded: GradedEpisode[] = [];
for (const episode of traces) {
  const images = episode.turns.flatMap(({ call }) => call?.images ?? []);
  graded.push({
    episode,
    grade: await gradeEpisode(episode),
    locations: Object.fromEntries(
      images.map(({ digest }, index) => [
        digest,
        { input: 0, orientation: index === 0 ? 'rotate_270' : 'identity', box: [40, 30, 80, 60] },
      ]),
    ),
  });
}
const groups = Array.from({ length: Math.ceil(count / groupSize) }, (_, index) =>
  graded.slice(index * groupSize, (index + 1) * groupSize),
);

/** Processor time is measured, so that what else the machine does counts for nothing. */
const coreSeconds = async (work: () => unknown): Promise<number> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
};

const median = (found: readonly number[]): number =>
  found.toSorted((one, other) => one - other)[found.length >> 1] ?? 0;

const report = (subject: string, seconds: number, wall: number): void => {
  const perSecond = count / seconds;
  process.stdout.write(
    values.json
      ? `${JSON.stringify({ bench: 'rewards', case: `${count} traces`, subject, value: Math.round(perSecond), unit: 'traces per core-second', ratio: null })}\n`
      : `${subject.padEnd(22)} ${seconds.toFixed(3)} core-s for ${count} traces (${wall.toFixed(3)} s)   ${Math.round(perSecond)} traces per core-second\n`,
  );
};

for (const name of rewardNames) {
  const found: number[] = [];
  const start = performance.now();
  for (let round = 0; round < rounds; round += 1)
    found.push(await coreSeconds(() => scoreGroups(rewards[name], groups)));
  report(name, median(found), (performance.now() - start) / 1000 / rounds);
}
const rules: number[] = [];
const start = performance.now();
for (let round = 0; round < rounds; round += 1)
  rules.push(
    await coreSeconds(async () => {
      for (const episode of traces) await gradeEpisode(episode);
    }),
  );
report('verdict by rules', median(rules), (performance.now() - start) / 1000 / rounds);
