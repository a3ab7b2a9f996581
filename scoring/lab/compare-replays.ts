import type { RewardName } from '../../domain/score.ts';
import { isCorrect, meanOf } from '../rewards/reward.ts';
import { type EpisodeKind, episodeKinds, type Ranked, type Replay, type ReplayedGroup } from './replay.ts';

/** What a reward makes of a recording. */
export interface ReplaySummary {
  readonly name: RewardName;
  readonly episodes: number;
  /** Of the rewards; null where there is no episode. */
  readonly mean: number | null;
  readonly least: number | null;
  readonly most: number | null;
  /** Share of groups in which all rewards are equal: nothing is learned from them; null where there is none. */
  readonly flatGroups: number | null;
  /** Share of the pairs of a right and a wrong episode of a group in which the wrong one gets as much or more. */
  readonly wrongPreferred: number | null;
  /** Mean advantage of each kind of episode; null where there is none. */
  readonly advantages: Readonly<Record<EpisodeKind, number | null>>;
}

const pairs = function* (count: number): Generator<readonly [number, number]> {
  for (let one = 0; one < count; one += 1) for (let other = one + 1; other < count; other += 1) yield [one, other];
};

const tie = 1e-9;
const isFlat = ({ ranked }: ReplayedGroup): boolean => ranked.every(({ advantage }) => advantage === 0);

const advantagesByKind = (ranked: readonly Ranked[]): Record<EpisodeKind, number | null> => {
  const meanOfKind = (kind: EpisodeKind): number | null => {
    const own = ranked.filter((entry) => entry.kind === kind);
    return own.length === 0 ? null : meanOf(own.map(({ advantage }) => advantage));
  };
  return Object.fromEntries(episodeKinds.map((kind) => [kind, meanOfKind(kind)])) as Record<EpisodeKind, number | null>;
};

export const summariseReplay = ({ name, groups }: Replay): ReplaySummary => {
  const ranked = groups.flatMap((group) => group.ranked);
  const values = ranked.map(({ reward }) => reward).sort((one, other) => one - other);
  let [unequal, preferred] = [0, 0];
  for (const group of groups)
    for (const [one, other] of pairs(group.ranked.length)) {
      const [a, b] = [group.ranked[one], group.ranked[other]];
      if (!a || !b || isCorrect(a.member) === isCorrect(b.member)) continue;
      const [right, wrong] = isCorrect(a.member) ? [a, b] : [b, a];
      unequal += 1;
      if (wrong.reward >= right.reward - tie) preferred += 1;
    }
  return {
    name,
    episodes: ranked.length,
    mean: values.length === 0 ? null : meanOf(values),
    least: values[0] ?? null,
    most: values.at(-1) ?? null,
    flatGroups: groups.length === 0 ? null : meanOf(groups.map((group) => (isFlat(group) ? 1 : 0))),
    wrongPreferred: unequal === 0 ? null : preferred / unequal,
    advantages: advantagesByKind(ranked),
  };
};

/** The mean advantage of each kind of episode by step. */
export const advantagesByStep = ({ groups }: Replay): ReadonlyMap<number, Record<EpisodeKind, number | null>> => {
  const steps = Map.groupBy(groups, ({ step }) => step);
  return new Map(
    [...steps]
      .sort(([one], [other]) => one - other)
      .map(([step, own]) => [step, advantagesByKind(own.flatMap(({ ranked }) => ranked))]),
  );
};

/** Two episodes of a group that two rewards put in opposite order. */
export interface Disagreement {
  readonly step: number;
  /** Preferred by the first reward. */
  readonly first: Ranked;
  /** Preferred by the second. */
  readonly second: Ranked;
  /** Advantages of the two under the other reward, in the same order. */
  readonly underSecond: readonly [number, number];
  /** The smaller of the two differences in advantage: how much both rewards mean it. */
  readonly strength: number;
}

export interface Agreement {
  readonly names: readonly [RewardName, RewardName];
  /** Pairs of episodes of a group that both rewards put in an order. */
  readonly ordered: number;
  /** Share of these that they order the same way; null where there is none. */
  readonly same: number | null;
  /** Kendall's tau-b over all pairs of all groups, −1 to 1; null where a reward orders nothing. */
  readonly tau: number | null;
  /** The strongest first. */
  readonly disagreements: readonly Disagreement[];
}

const sign = (difference: number): number => (Math.abs(difference) < tie ? 0 : Math.sign(difference));

/** Where two rewards would have ranked the episodes of a group differently. */
export const compareReplays = (first: Replay, second: Replay, { shown = 20 }: { shown?: number } = {}): Agreement => {
  let [same, opposite, orderedFirst, orderedSecond] = [0, 0, 0, 0];
  const disagreements: Disagreement[] = [];
  first.groups.forEach(({ step, ranked }, index) => {
    const others = second.groups[index]?.ranked ?? [];
    for (const [one, other] of pairs(ranked.length)) {
      const [a, b, c, d] = [ranked[one], ranked[other], others[one], others[other]];
      if (!a || !b || !c || !d) continue;
      const [gapFirst, gapSecond] = [a.advantage - b.advantage, c.advantage - d.advantage];
      if (sign(gapFirst) !== 0) orderedFirst += 1;
      if (sign(gapSecond) !== 0) orderedSecond += 1;
      const product = sign(gapFirst) * sign(gapSecond);
      if (product > 0) same += 1;
      if (product >= 0) continue;
      opposite += 1;
      const strength = Math.min(Math.abs(gapFirst), Math.abs(gapSecond));
      disagreements.push(
        gapFirst > 0
          ? { step, first: a, second: b, underSecond: [c.advantage, d.advantage], strength }
          : { step, first: b, second: a, underSecond: [d.advantage, c.advantage], strength },
      );
    }
  });
  const scale = Math.sqrt(orderedFirst * orderedSecond);
  return {
    names: [first.name, second.name],
    ordered: same + opposite,
    same: same + opposite === 0 ? null : same / (same + opposite),
    tau: scale === 0 ? null : (same - opposite) / scale,
    disagreements: disagreements.sort((one, other) => other.strength - one.strength).slice(0, shown),
  };
};
