import { mkdir, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import Table from 'cli-table3';
import { readSpec, runFilePath } from '../../activities/read-run.ts';
import { renderRewardLab } from '../../dashboard/lab/render-reward-lab.ts';
import { LensmithError } from '../../domain/errors.ts';
import { defaultAdvantageEpsilon } from '../../domain/run-spec.ts';
import { type RewardName, rewardNames } from '../../domain/score.ts';
import { writeFileAtomic } from '../../processes/atomic-file.ts';
import { stored } from '../../processes/storage-failure.ts';
import {
  type Agreement,
  compareReplays,
  type ReplaySummary,
  summariseReplay,
} from '../../scoring/lab/compare-replays.ts';
import { episodeKinds, replayReward } from '../../scoring/lab/replay.ts';
import { write } from '../write.ts';
import { readGroups, runFolder } from './rewards-traces.ts';

/** The rewards of a list such as `lensmith,codevision-paper`; `all` takes every one. */
export const rewardsOf = (list: string): RewardName[] => {
  const names = list === 'all' ? [...rewardNames] : list.split(',').map((name) => name.trim());
  return names.map((name) => {
    const known = rewardNames.find((candidate) => candidate === name);
    if (known) return known;
    throw new LensmithError('config', `expected all or some of ${rewardNames.join(', ')}, got "${name}"`, {
      where: '--reward',
    });
  });
};

const number = (value: number | null): string => (value === null ? '–' : value.toFixed(3));
const percent = (value: number | null): string => (value === null ? '–' : `${(100 * value).toFixed(1)} %`);

const borderless = { style: { head: [], border: [], compact: true } };

const summaryTable = (summaries: readonly ReplaySummary[]): string => {
  const table = new Table({
    ...borderless,
    head: ['reward', 'mean', 'least', 'most', 'flat groups', 'wrong ≥ right', ...episodeKinds],
  });
  for (const { name, mean, least, most, flatGroups, wrongPreferred, advantages } of summaries)
    table.push([
      name,
      ...[mean, least, most].map(number),
      percent(flatGroups),
      percent(wrongPreferred),
      ...episodeKinds.map((kind) => number(advantages[kind])),
    ]);
  return table.toString();
};

const agreementTable = (agreements: readonly Agreement[]): string => {
  const table = new Table({ ...borderless, head: ['rewards', 'pairs both order', 'same order', "Kendall's tau-b"] });
  for (const { names, ordered, same, tau } of agreements)
    table.push([names.join(' / '), ordered, percent(same), number(tau)]);
  return table.toString();
};

/** `rl.advantageEpsilon` of the run; its default for rollouts that lie by themselves. */
const epsilonOf = async (folder: string): Promise<number> => {
  const file = await stat(runFilePath(folder)).catch(() => undefined);
  return file ? (await readSpec({ dir: folder })).rl.advantageEpsilon : defaultAdvantageEpsilon;
};

const pairsOf = <Item>(items: readonly Item[]): [Item, Item][] =>
  items.flatMap((one, index) => items.slice(index + 1).map((other): [Item, Item] => [one, other]));

export interface ReplayFlags {
  readonly reward: string;
  readonly from: string;
  readonly steps: string;
  readonly html?: string;
  readonly json?: boolean;
}

/** Ranks the recorded episodes of a run by several rewards and says where these disagree. */
export const replay = async (run: string, flags: ReplayFlags): Promise<void> => {
  const names = rewardsOf(flags.reward);
  if (flags.from !== 'rollouts' && flags.from !== 'evaluations')
    throw new LensmithError('config', `expected rollouts or evaluations, got "${flags.from}"`, { where: '--from' });
  const steps = Number(flags.steps);
  if (!Number.isInteger(steps) || steps < 1)
    throw new LensmithError('config', `expected a number of steps, got "${flags.steps}"`, { where: '--steps' });
  const folder = await runFolder(run);
  const recorded = await readGroups(folder, { from: flags.from, steps });
  const epsilon = await epsilonOf(folder);
  const replays = names.map((name) => replayReward(name, recorded, epsilon));
  const summaries = replays.map(summariseReplay);
  const agreements = pairsOf(replays).map(([one, other]) => compareReplays(one, other));
  if (flags.json) {
    const short = agreements.map(({ disagreements: _, ...agreement }) => agreement);
    write(JSON.stringify({ groups: recorded.length, advantageEpsilon: epsilon, summaries, agreements: short }));
    return;
  }
  write(
    `${recorded.length} groups, ${summaries[0]?.episodes ?? 0} episodes that are not masked; mean advantage, (reward − mean) / (deviation + ${epsilon}), by kind of episode:`,
  );
  write(summaryTable(summaries));
  if (agreements.length > 0) write(agreementTable(agreements));
  const page = resolve(flags.html ?? join(folder, 'report', 'rewards.html'));
  const html = renderRewardLab({ title: basename(resolve(folder)), epsilon, replays, summaries, agreements });
  await stored(page, mkdir(dirname(page), { recursive: true }));
  await stored(page, writeFileAtomic(page, html));
  write(`curves, and the episodes that the rewards disagree on: ${page}`);
};
