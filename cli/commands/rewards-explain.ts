import { readdir, readFile } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import Table from 'cli-table3';
import { LensmithError } from '../../domain/errors.ts';
import type { RewardName } from '../../domain/score.ts';
import { createLocator } from '../../scoring/effects/locator.ts';
import type { GradedEpisode } from '../../scoring/rewards/reward.ts';
import { rewards } from '../../scoring/rewards/rewards.ts';
import { type ExplainedScore, explainGroups } from '../../scoring/rewards/score-group.ts';
import { digestsOf } from '../../scoring/scored-images.ts';
import { write } from '../write.ts';
import { rewardsOf } from './rewards-replay.ts';
import { graded, readTraces, type Trace } from './rewards-traces.ts';

const value = (number: number): string => (number > 0 ? `+${number.toFixed(3)}` : number.toFixed(3));

const explain = (name: RewardName, score: ExplainedScore): string => {
  const described = rewards[name].terms;
  const table = new Table({
    style: { head: [], border: [], compact: true },
    head: [name, 'value', 'of', 'why'],
    colWidths: [null, null, null, 70],
    wordWrap: true,
  });
  for (const [term, number] of Object.entries(score.terms))
    table.push([term, value(number), described[term]?.range.join(' to ') ?? '', score.reasons[term] ?? '']);
  table.push(['sum', value(score.reward), '', score.masked ? 'masked: an outage, left out of the gradient' : '']);
  if (score.turnRewards.some((number) => number !== 0))
    table.push(['turns', '', '', `beside the sum: ${score.turnRewards.map(value).join(', ')}`]);
  return table.toString();
};

/** Adds where images come from, with the pixels of a folder of `<digest>.<png|jpeg|…>`. */
const withPixels = async (members: readonly GradedEpisode[], folder: string): Promise<GradedEpisode[]> => {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new LensmithError('config', `expected a folder of images: ${String(cause)}`, { where: '--images', cause });
  });
  const files = new Map(names.map((name) => [basename(name, extname(name)), join(folder, name)]));
  const locator = createLocator();
  try {
    const located: GradedEpisode[] = [];
    for (const member of members) {
      const images = new Map<string, Uint8Array>();
      for (const digest of new Set(digestsOf(member.episode))) {
        const file = files.get(digest);
        if (file) images.set(digest, await readFile(file));
      }
      located.push(images.size === 0 ? member : { ...member, locations: await locator.locate(member.episode, images) });
    }
    return located;
  } finally {
    await locator.close();
  }
};

/** Steps count from 1; what was not rolled out by RL has 0. */
const isOfOneStep = ([one]: readonly Trace[], [other]: readonly Trace[]): boolean =>
  one !== undefined && one.step > 0 && one.step === other?.step;

export interface ExplainFlags {
  readonly reward: string;
  readonly episode?: string;
  readonly images?: string;
}

/** Says for each episode of a file what each term of a reward gives it and why. */
export const explainTraces = async (file: string, { reward, episode, images }: ExplainFlags): Promise<void> => {
  const names = rewardsOf(reward);
  const traces = await readTraces(file);
  const wanted = traces.filter((trace) => !episode || trace.episode.episodeId === episode);
  if (wanted.length === 0)
    throw new LensmithError('config', `expected a trace${episode ? ` of the episode ${episode}` : ''}, found none`, {
      where: file,
    });
  const groups = Map.groupBy(
    traces,
    ({ group, episode: { episodeId, task } }) => group ?? `${task.sampleId}/${episodeId}`,
  );
  for (const group of groups.values()) {
    if (!group.some((trace) => wanted.includes(trace))) continue;
    const members = await Promise.all(group.map(graded));
    const known = images ? await withPixels(members, images) : members;
    // Values of turns may depend on all that was rolled out for a step.
    const besides = [...groups.values()].filter((other) => other !== group && isOfOneStep(other, group));
    const batch = [known, ...(await Promise.all(besides.map((other) => Promise.all(other.map(graded)))))];
    for (const name of names) {
      const [scores = []] = explainGroups(rewards[name], batch);
      scores.forEach((score, index) => {
        const trace = group[index];
        if (!trace || !wanted.includes(trace)) return;
        const { episodeId, task, answer } = trace.episode;
        write(
          `${episodeId}: "${task.question}", answer ${JSON.stringify(answer)}, one of ${group.length} in its group`,
        );
        write(explain(name, score));
      });
    }
  }
};
