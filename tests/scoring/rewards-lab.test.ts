import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunFile } from '../../activities/read-run.ts';
import { rewardsOf } from '../../cli/commands/rewards-replay.ts';
import { readGroups, readTraces } from '../../cli/commands/rewards-traces.ts';
import type { ImageLocation, Orientation } from '../../domain/image-location.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import type { RolloutLine } from '../../domain/rollout.ts';
import { advantagesByStep, compareReplays, summariseReplay } from '../../scoring/lab/compare-replays.ts';
import { kindOf, type RecordedGroup, replayReward } from '../../scoring/lab/replay.ts';
import { rewards } from '../../scoring/rewards/rewards.ts';
import { scoreGroup, scoreGroups } from '../../scoring/rewards/score-group.ts';
import { gradeOf } from '../support/episodes.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { traceOf } from '../support/traces.ts';

const right = gradeOf('correct');
const wrong = gradeOf('wrong');
const failing = {
  outcome: 'exception',
  stdout: '',
  error: { type: 'E', message: 'e', line: 1, traceback: '' },
} as const;

const direct = { episode: traceOf([]), grade: right };
const checked = { episode: traceOf([{}]), grade: right };
const lost = { episode: traceOf([{}], { answer: '9' }), grade: wrong };
const group = (step: number, ...members: RecordedGroup['members'][number][]): RecordedGroup => ({ step, members });

describe('a replay', () => {
  it('ranks by the advantage: 1.1, 1 and −0.9 have the mean 0.4 and the deviation √(2.42 / 3)', () => {
    // Two of three are right: 1.1; 1.1 + 0.2 · ⅓ − 0.1 · ⅔ = 1.1 as well; −0.1 · ⅔ = −0.0667 and 0.1 for the form.
    const bare = [direct, checked, lost].map(({ episode, grade }) => ({
      grade,
      episode: {
        ...episode,
        turns: episode.turns.map((turn) => ({ ...turn, text: turn.call ? turn.text : '<answer>8</answer>' })),
      },
    }));
    const replay = replayReward('lensmith', [group(1, ...bare)], 1e-4);
    const rewardsGiven = replay.groups[0]?.ranked.map(({ reward }) => reward) ?? [];
    expect(rewardsGiven).toEqual([expect.closeTo(1.1, 12), expect.closeTo(1.1, 12), expect.closeTo(0.1 - 0.2 / 3, 12)]);
    // Mean 0.744444; deviation 0.502830 = 1.066667 · √2 / 3; (1.1 − mean) / deviation = 1 / √2.
    expect(replay.groups[0]?.ranked[0]?.advantage).toBeCloseTo(Math.SQRT1_2, 3);
    expect(replay.groups[0]?.ranked[2]?.advantage).toBeCloseTo(-Math.SQRT2, 3);
    // 0.355556 / (0.502830 + 0.1)
    expect(replayReward('lensmith', [group(1, ...bare)], 0.1).groups[0]?.ranked[0]?.advantage).toBeCloseTo(0.58981, 5);
  });

  it('leaves masked episodes out', () => {
    const outage = { episode: traceOf([]), grade: gradeOf('infra_error') };
    expect(replayReward('accuracy', [group(1, direct, outage, lost)], 1e-4).groups[0]?.ranked).toHaveLength(2);
  });

  it('has no figures of no episodes', () => {
    const outage = { episode: traceOf([]), grade: gradeOf('infra_error') };
    const nothing = { mean: null, least: null, most: null };
    expect(summariseReplay(replayReward('accuracy', [group(1, outage, outage)], 1e-4))).toMatchObject(nothing);
    expect(summariseReplay(replayReward('accuracy', [], 1e-4))).toMatchObject({ ...nothing, flatGroups: null });
  });

  it('says which kind an episode is', () => {
    expect([direct, checked, lost, { episode: traceOf([failing, {}]), grade: right }].map(kindOf)).toEqual([
      'right, no call',
      'right, calls ran',
      'wrong, calls ran',
      'right, a call failed',
    ]);
  });
});

describe('a summary', () => {
  it('counts groups without spread and pairs in which the wrong episode is not worse', () => {
    const replay = replayReward('accuracy', [group(1, direct, direct), group(2, direct, lost)], 1e-4);
    expect(summariseReplay(replay)).toMatchObject({
      episodes: 4,
      flatGroups: 0.5,
      wrongPreferred: 0,
      least: 0,
      most: 1,
    });
    expect([...advantagesByStep(replay).keys()]).toEqual([1, 2]);
  });
});

describe('the comparison of two rewards', () => {
  it('agrees with itself, and with one that pays calls on a hard task as it does', () => {
    // mu ¼: lensmith pays the checked answer 0.2 · ¾ − 0.1 · ¼ more than the direct one, CodeDance d · 1.5 with d > 0.
    const hard = group(1, direct, checked, lost, lost, lost, lost, lost, lost);
    const [ours, codedance] = [
      replayReward('lensmith', [hard], 1e-4),
      replayReward('codedance-released', [hard], 1e-4),
    ];
    expect(compareReplays(ours, ours)).toMatchObject({ same: 1, tau: 1, disagreements: [] });
    expect(compareReplays(ours, codedance)).toMatchObject({ same: 1, tau: 1 });
  });

  it('finds where an easy task makes one charge a call that the other does not', () => {
    // mu 1: lensmith takes 0.1 for the call; accuracy gives both the same, so nothing is ordered the other way round.
    const easy = [group(1, direct, checked)];
    const found = compareReplays(replayReward('lensmith', easy, 1e-4), replayReward('accuracy', easy, 1e-4));
    expect(found).toMatchObject({ ordered: 0, same: null, tau: null });
  });

  it('shows the episodes of a disagreement: words against effect', () => {
    const task = { transform: 'rotate_90', needs: { orientation: 'rotate_270' as const, box: null } };
    const shows = (orientation: Orientation): ImageLocation => ({ input: 0, orientation, box: [0, 0, 160, 100] });
    const image = (digest: string) => [{ digest, width: 100, height: 160 }];
    const words = {
      episode: traceOf([{ code: 'img  # img.rotate(270)', stdout: '', images: image('same') }], {
        task,
        episodeId: 'words',
      }),
      grade: right,
      locations: { same: shows('identity') },
    };
    const deed = {
      episode: traceOf([{ code: 'img.transpose(Image.Transpose.ROTATE_270)', stdout: '', images: image('up') }], {
        task,
        episodeId: 'deed',
      }),
      grade: right,
      locations: { up: shows('rotate_270') },
    };
    const recorded = [group(7, words, deed)];
    const found = compareReplays(
      replayReward('lensmith', recorded, 1e-4),
      replayReward('codevision-released', recorded, 1e-4),
    );
    expect(found).toMatchObject({ ordered: 1, same: 0, tau: -1 });
    expect(found.disagreements[0]).toMatchObject({
      step: 7,
      first: { member: { episode: { episodeId: 'deed' } } },
      second: { member: { episode: { episodeId: 'words' } } },
    });
  });
});

describe('the commands', () => {
  let run: string;
  const checkout = fileURLToPath(new URL('../..', import.meta.url));
  const lensmith = (...flags: string[]) =>
    execa(process.execPath, ['cli/main.ts', 'rewards', ...flags], { cwd: checkout, timeout: 50_000, reject: false });

  beforeAll(async () => {
    run = await mkdtemp(join(tmpdir(), 'rewards-lab-'));
    const folder = join(run, 'stages', 'rl', 'rollouts');
    await mkdir(folder, { recursive: true });
    for (const step of [1, 2, 10]) {
      const members = [direct, checked, lost].map((member, index) => ({
        ...member,
        episode: { ...member.episode, episodeId: `r:0:${step}:0:${index}` },
      }));
      const scores = scoreGroup(rewards.lensmith, members);
      const lines = members.map(({ episode }, index): RolloutLine => {
        const score = scores[index];
        if (!score) throw new Error('expected a score for each episode');
        return { step, group: 0, reward: 'lensmith', episode, score };
      });
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
      await writeFile(join(folder, `step-${String(step).padStart(7, '0')}.jsonl.gz`), gzipSync(text));
    }
  });
  afterAll(() => rm(run, { recursive: true, force: true }));

  it('replay prints a table of rewards and of their agreement, and writes a page with curves', async () => {
    const { stdout, exitCode } = await lensmith('replay', run, '--reward', 'lensmith,codevision-paper');
    expect(exitCode).toBe(0);
    expect(stdout).toContain('3 groups, 9 episodes');
    expect(stdout).toMatch(/lensmith \/ codevision-paper/);
    const page = await readFile(join(run, 'report', 'rewards.html'), 'utf8');
    expect(page.match(/<svg /g)).toHaveLength(2);
    expect(page).not.toMatch(/<script|https?:\/\/[^w]/);
  });

  it('replay says it in JSON, over some of the steps', async () => {
    const { stdout } = await lensmith('replay', run, '--json', '--steps', '2', '--reward', 'all');
    const report = JSON.parse(stdout) as { groups: number; summaries: unknown[]; agreements: unknown[] };
    expect([report.groups, report.summaries.length, report.agreements.length]).toEqual([2, 6, 15]);
  });

  it('replay takes what is added to the deviation from the run', async () => {
    const unknown = await lensmith('replay', run, '--reward', 'accuracy');
    expect(unknown.stdout).toContain('(deviation + 0.0001)');
    const spec = miniatureSpec();
    const file: RunFile = {
      ...{ version: 1, run: 'digits', workflowId: 'train/digits', execution: 'one' },
      createdAt: new Date(0).toISOString(),
      spec: parseRunSpec({ ...spec, rl: { ...spec.rl, advantageEpsilon: 0.25 } }),
    };
    await writeFile(join(run, 'run.json'), JSON.stringify(file));
    const known = await lensmith('replay', run, '--reward', 'accuracy');
    expect(known.stdout).toContain('(deviation + 0.25)');
    expect(await readFile(join(run, 'report', 'rewards.html'), 'utf8')).toContain('(deviation + 0.25)');
  });

  it('explain says what each term gave and why', async () => {
    const file = join(run, 'stages', 'rl', 'rollouts', 'step-0000010.jsonl.gz');
    const { stdout } = await lensmith('explain', file, '--episode', 'r:0:10:0:1');
    expect(stdout).toContain('one of 3 in its group');
    expect(stdout).toContain('mu 0.667, 1 of 1 call effective');
    expect(stdout.match(/accuracy/g)).toHaveLength(1);
  });

  it('explain standardises the values of turns over the groups of a step, as training does', async () => {
    const named = { ...failing, error: { ...failing.error, type: 'NameError' } };
    const fails = { episode: traceOf([named], { episodeId: 'fails' }), grade: right };
    const both = [[fails], [{ ...checked, episode: { ...checked.episode, episodeId: 'runs' } }]];
    const lines = scoreGroups(rewards['codedance-released'], both).flatMap((scores, number) =>
      scores.map((score) => ({
        ...{ step: 1, group: number, reward: 'codedance-released', score },
        episode: both[number]?.[0]?.episode,
      })),
    );
    // −0.5 and 0 have the mean −0.25 and the deviation 0.25; 0.2 of −1 and of 1.
    expect(lines.map(({ score }) => score.turnRewards)).toEqual([
      [-0.2, 0],
      [0.2, 0],
    ]);
    const file = join(run, 'batch.jsonl');
    await writeFile(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    const { stdout } = await lensmith('explain', file, '--reward', 'codedance-released', '--episode', 'fails');
    expect(stdout).toContain('beside the sum: -0.200, 0.000');
  });

  it('explain grades a trace that has no verdict by the rules', async () => {
    const file = join(run, 'trace.json');
    await writeFile(file, JSON.stringify(traceOf([]), null, 2));
    const { stdout } = await lensmith('explain', file, '--reward', 'accuracy,codedance-paper');
    expect(stdout).toMatch(/accuracy\s+│ \+1\.000/);
  });

  it('tells a folder that is not there, and a page that cannot be written, in one line', async () => {
    const file = join(run, 'stages', 'rl', 'rollouts', 'step-0000001.jsonl.gz');
    const missing = await lensmith('explain', file, '--images', join(run, 'nowhere'));
    expect([missing.exitCode, missing.stderr]).toEqual([
      2,
      expect.stringMatching(/^lensmith: config: --images: expected a folder of images: .*$/),
    ]);
    const folder = await lensmith('replay', run, '--reward', 'accuracy', '--html', run);
    expect([folder.exitCode, folder.stderr]).toEqual([
      1,
      expect.stringMatching(/^lensmith: infrastructure: .* cannot be written: .*$/),
    ]);
  });

  it('fails with 2 for what is no run, and says what it expected', async () => {
    const { stderr, exitCode } = await lensmith('replay', 'no-such-run');
    expect([exitCode, stderr]).toEqual([2, expect.stringContaining('expected the id or the folder of a run')]);
  });

  it('says what is wrong with rewards, recordings and traces', async () => {
    expect(() => rewardsOf('lensmith,gold')).toThrow('expected all or some of lensmith');
    expect(rewardsOf('all')).toHaveLength(6);
    await expect(readGroups(checkout, { from: 'rollouts', steps: 1 })).rejects.toThrow(
      '"--from evaluations" takes the journals',
    );
    await expect(readTraces(join(checkout, 'package.json'))).rejects.toThrow('expected an episode');
    await expect(readTraces(join(run, 'nothing.json'))).rejects.toMatchObject({ type: 'config' });
  });

  it('takes the episodes of all evaluated models about a sample for a group', async () => {
    for (const model of ['sft', 'rl']) {
      const folder = join(run, 'evaluations', `${model}-test`);
      await mkdir(folder, { recursive: true });
      const entry = { kind: 'sample', sampleId: 's', attempt: 0, episode: { ...traceOf([]), model }, grade: right };
      const lines = [{ entry: { kind: 'header' } }, { checksum: 'c', entry }];
      await writeFile(join(folder, 'journal.jsonl'), lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    }
    const groups = await readGroups(run, { from: 'evaluations', steps: 1 });
    expect(groups.map(({ members }) => members.map(({ episode }) => episode.model))).toEqual([['rl', 'sft']]);
  });

  it('takes the last entry of a journal about an episode, and passes over an evaluation without a journal', async () => {
    const other = join(run, 'asked-again');
    const file = join(other, 'evaluations', 'rl-test', 'journal.jsonl');
    await mkdir(dirname(file), { recursive: true });
    await mkdir(join(other, 'evaluations', 'sft-test'));
    const entryOf = (episodeId: string, grade: typeof right, answer: string) => {
      const episode = traceOf([], { episodeId, answer });
      return { kind: 'sample', sampleId: 's', attempt: 0, episode, grade };
    };
    const entries = [entryOf('s', wrong, '7'), entryOf('s#1', wrong, '9'), entryOf('s', right, '8')];
    await writeFile(file, entries.map((entry) => `${JSON.stringify({ checksum: 'c', entry })}\n`).join(''));
    const [group] = await readGroups(other, { from: 'evaluations', steps: 1 });
    expect(group?.members.map(({ episode }) => episode.answer)).toEqual(['9', '8']);
  });
});
