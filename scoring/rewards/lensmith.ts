import { accuracyDescriptions, accuracyTerms } from './accuracy.ts';
import { type ProcessEvent, type ProcessTerm, processEvents } from './process-events.ts';
import {
  type GradedEpisode,
  groupAccuracy,
  isCorrect,
  type Reward,
  shown,
  type TermDescription,
  type Terms,
} from './reward.ts';
import { hasFailed, isEffective, newViews, toolCalls } from './tool-calls.ts';

const maximumCalls = 10;
const failedCall = -0.5;
const leastAllowance = 4;
/** As CodeDance adds the values of turns to the advantage (`ray_trainer.py`). */
const turnWeight = 0.2;

const descriptions = {
  ...accuracyDescriptions,
  toolBenefit: {
    range: [0, 0.2],
    what: '0.2 (1 − mu) effective calls / calls, for a right answer: where the task is hard, calls that do something pay',
    source: "after CodeDance's sequence term (arXiv 2512.17312), in a form of our own",
  },
  toolCost: {
    range: [-1, 0],
    what: '−0.1 mu a call: where the task is easy, each call costs',
    source: 'as toolBenefit',
  },
  failedCalls: {
    range: [-5, 0],
    what: '−0.5 for each call that failed by its own fault',
    source: "CodeDance's turn term",
  },
  overUse: {
    range: [-0.3, 0],
    what: '−0.05 for each call beyond four',
    source: "CodeVision's turn limit (arXiv 2512.03746), graded",
  },
  orientation: {
    range: [0, 0.3],
    what: 'with needs: 0.3 for an image that is upright, half at the second orientation tried, nothing after that',
    source: "CodeVision's required tools, by the effect on the pixels",
  },
  crop: {
    range: [0, 0.3],
    what: 'with needs: 0.3 times how far the first three crops close the gap in overlap with the region of the answer',
    source: "CodeVision's gain in IoU, mapped through the chain of operations",
  },
  spurious: {
    range: [-0.3, 0],
    what: 'with needs: −0.1 for each orientation tried that is not the needed one',
    source: "CodeVision's inappropriate tools",
  },
  correction: {
    range: [0, 0.1],
    what: 'with needs: 0.1 (1 − mu) once, for an effective call after a failed one; less than the failure cost',
    source: 'Lensmith',
  },
} as const satisfies Readonly<Record<string, TermDescription>>;

const plural = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

const callTerms = (episode: GradedEpisode, mu: number): Terms => {
  const member = episode.episode.task.needs ? episode : { ...episode, locations: undefined };
  const all = toolCalls(member);
  const calls = all.slice(0, maximumCalls);
  const views = newViews(member);
  const effective = calls.filter((call) => isEffective(member, call, views)).length;
  const failed = calls.filter(hasFailed).length;
  const pays = isCorrect(member) && calls.length > 0;
  const beyond = Math.max(0, all.length - leastAllowance);
  return {
    toolBenefit: {
      value: pays ? (0.2 * (1 - mu) * effective) / calls.length : 0,
      why: `mu ${shown(mu)}, ${effective} of ${plural(calls.length, 'call')} effective${pays ? '' : ', no right answer by calls'}`,
    },
    toolCost: {
      value: calls.length === 0 ? 0 : -0.1 * mu * calls.length,
      why: `mu ${shown(mu)}, ${plural(calls.length, 'call')}`,
    },
    failedCalls: { value: failed === 0 ? 0 : failedCall * failed, why: plural(failed, 'failed call') },
    overUse: {
      value: beyond === 0 ? 0 : Math.max(-0.3, -0.05 * beyond),
      why: `${plural(beyond, 'call')} beyond ${leastAllowance}`,
    },
  };
};

const processTerm = (term: ProcessTerm, events: readonly ProcessEvent[]): Terms[string] => {
  const own = events.filter((event) => event.term === term);
  const [least, most] = descriptions[term].range;
  const sum = own.reduce((total, { value }) => total + value, 0);
  return {
    value: Math.min(most, Math.max(least, sum)),
    why: own.map(({ why, turn }) => `turn ${turn + 1}: ${why}`).join('; ') || 'nothing of the kind',
  };
};

const processTerms = (member: GradedEpisode, mu: number): Terms => {
  if (!member.episode.task.needs) return {};
  const events = processEvents(member, mu);
  return {
    orientation: processTerm('orientation', events),
    crop: processTerm('crop', events),
    spurious: processTerm('spurious', events),
    correction: processTerm('correction', events),
  };
};

const turnValues = (member: GradedEpisode, mu: number): number[] => {
  const values = member.episode.turns.map(() => 0);
  if (!member.episode.task.needs) return values;
  const failures = toolCalls(member)
    .filter(hasFailed)
    .map(({ turn }) => ({ turn, value: failedCall }));
  for (const { turn, value } of [...failures, ...processEvents(member, mu)])
    values[turn] = (values[turn] ?? 0) + turnWeight * value;
  return values;
};

/**
 * Our reward. The answer, its form and the calls always count; `mu` is the group's accuracy. Where the task says what
 * its image needs, what code does to the pixels counts too, whatever code and text say of it, and the turns that did it
 * get a value of their own: process is paid where it can be verified, and only there.
 */
export const lensmithReward: Reward = {
  terms: descriptions,
  usesPixels: ({ needs }) => needs !== undefined,
  score: (group) => {
    const mu = groupAccuracy(group);
    return group.map((member) => ({ ...accuracyTerms(member), ...callTerms(member, mu), ...processTerms(member, mu) }));
  },
  turns: (groups) =>
    groups.map((group) => {
      const mu = groupAccuracy(group);
      return group.map((member) => turnValues(member, mu));
    }),
};
