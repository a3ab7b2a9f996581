import { coreOperations, orientationOperations } from '../code/named-operations.ts';
import { intersectionOverUnion } from '../effects/box.ts';
import { hasCodevisionForm } from './codevision-form.ts';
import { requiredOperations } from './required-operations.ts';
import { type GradedEpisode, isCorrect, meanOf, type Reward, shown, type Terms } from './reward.ts';
import { toolCalls } from './tool-calls.ts';
import { usedOperations } from './used-operations.ts';

const suggestedWeight = 0.2;
const penaltyWeight = 0.5;
const exactBonus = 0.1;
const missedCrop = 0.1;

const usesTools = (member: GradedEpisode): boolean => toolCalls(member).length > 0;

/** `max(0, mean accuracy with tools − without)` where at most one episode without tools is right. */
const necessityOf = (group: readonly GradedEpisode[]): number => {
  const accuracy = (members: readonly GradedEpisode[]): number =>
    meanOf(members.map((member) => (isCorrect(member) ? 1 : 0)));
  const [using, without] = [group.filter(usesTools), group.filter((member) => !usesTools(member))];
  if (using.length === 0 || without.length === 0 || without.filter(isCorrect).length > 1) return 0;
  return Math.max(0, accuracy(using) - accuracy(without));
};

const penalty = (applies: boolean, why: string): Terms[string] => ({ value: applies ? -penaltyWeight : 0, why });

const termsOf = (member: GradedEpisode, necessity: number): Terms => {
  const required = requiredOperations(member.episode.task);
  const core = [...required.names].filter((name) => coreOperations.some((known) => known === name));
  const used = usedOperations(member, required);
  const overlap =
    required.box === null
      ? 0
      : Math.max(0, ...used.boxes.map((box) => intersectionOverUnion(required.box ?? box, box)));
  const plain = core.filter((name) => name !== 'crop' && used.names.has(name)).length;
  const mandatory = core.length === 0 ? 0 : (plain + (core.includes('crop') ? overlap : 0)) / core.length;

  const right = isCorrect(member);
  const formed = hasCodevisionForm(member);
  const calls = toolCalls(member).length;
  const exact =
    core.length > 0 &&
    calls === core.length &&
    core.every((name) => used.names.has(name)) &&
    used.names.size === core.length;
  const orients = orientationOperations.some((name) => core.includes(name)) || required.orientation !== 'identity';
  const turned = [...used.names].filter((name) => name !== 'crop');
  return {
    accuracy: { value: right ? 1 : 0, why: `${member.grade.verdict}: ${member.grade.reason}` },
    format: { value: formed ? 0.1 : 0, why: formed ? 'well formed' : 'a bad form' },
    required: {
      value: mandatory,
      why: `required ${core.join(', ') || 'nothing'}; by the ${used.by}: ${[...used.names].join(', ') || 'nothing'}, best overlap ${shown(overlap)}`,
    },
    exact: {
      value: exact ? exactBonus : 0,
      why: exact ? 'all required operations and no other call' : 'not the required ones alone',
    },
    suggested: {
      value: right && calls > 0 ? suggestedWeight * necessity : 0,
      why: `tools gain the group ${shown(necessity)}`,
    },
    optional: {
      value: right && used.optional.size > 0 ? suggestedWeight : 0,
      why: `optional tools: ${[...used.optional].join(', ') || 'none'}`,
    },
    turnLimit: penalty(calls > core.length + 1, `calls: ${calls}, free: ${core.length + 1}`),
    poorReasoning: penalty(
      right && core.includes('crop') && overlap < missedCrop,
      `best overlap ${shown(overlap)} of the required crop`,
    ),
    inappropriate: penalty(
      !orients && turned.length > 0,
      orients ? 'an orientation is required' : `orientations though none is required: ${turned.join(', ') || 'none'}`,
    ),
  };
};

/**
 * CodeVision as its paper has it (arXiv 2512.03746, by a third-party note): outcome, required tools with the weight 1,
 * suggested tools with 0.2, penalties with 0.5. A required orientation counts once, a crop by its overlap, which is the
 * sum of its gains over the best so far. The size of the exact bonus is the released one. What an episode did is
 * decided by its pixels where they are known.
 */
export const codevisionPaper: Reward = {
  terms: {
    accuracy: { range: [0, 1], what: '1 for a right answer', source: 'r_acc' },
    format: { range: [0, 0.1], what: '0.1 for thoughts and one answer at the end', source: '0.1 r_fmt' },
    required: {
      range: [0, 1],
      what: '1/N for each of the N required operations, a crop by its overlap',
      source: 'R_strategy',
    },
    exact: {
      range: [0, exactBonus],
      what: '0.1 for all required operations without a wasted call',
      source: 'R_strategy',
    },
    suggested: {
      range: [0, suggestedWeight],
      what: '0.2 times what tools gain the group, for a right answer with tools',
      source: 'R_strategy, suggested tools',
    },
    optional: {
      range: [0, suggestedWeight],
      what: '0.2 for a right answer with an optional tool',
      source: 'R_strategy',
    },
    turnLimit: { range: [-penaltyWeight, 0], what: '−0.5 for more calls than N + 1', source: 'P_cost, turn limit' },
    poorReasoning: {
      range: [-penaltyWeight, 0],
      what: '−0.5 for a right answer whose required crop overlaps less than 0.1',
      source: 'P_cost, poor reasoning',
    },
    inappropriate: {
      range: [-penaltyWeight, 0],
      what: '−0.5 for an orientation where none is required',
      source: 'P_cost, inappropriate tool',
    },
  },
  usesPixels: () => true,
  score: (group) => {
    const necessity = necessityOf(group);
    return group.map((member) => termsOf(member, necessity));
  },
};
