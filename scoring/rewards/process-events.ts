import type { TaskNeeds } from '../../domain/image-location.ts';
import { intersectionOverUnion } from '../effects/box.ts';
import type { GradedEpisode } from './reward.ts';
import { hasFailed, isEffective, newViews, type ToolCall, toolCalls, type View, wholeInput } from './tool-calls.ts';

export type ProcessTerm = 'orientation' | 'crop' | 'spurious' | 'correction';

/** Something that a turn did for or against the task, before the bounds of its term. */
export interface ProcessEvent {
  readonly term: ProcessTerm;
  readonly turn: number;
  readonly value: number;
  readonly why: string;
}

const fullCredit = 0.3;
const wrongOrientation = -0.1;
const fullCorrection = 0.1;
const countedCrops = 3;

const orientationEvents = (needed: TaskNeeds['orientation'], views: readonly View[]): ProcessEvent[] => {
  if (needed === null) return [];
  const first = new Map<string, number>();
  for (const { orientation, turn } of views)
    if (orientation !== 'identity' && !first.has(orientation)) first.set(orientation, turn);
  return [...first].map(([orientation, turn], tried) => {
    if (orientation !== needed)
      return {
        term: 'spurious',
        turn,
        value: wrongOrientation,
        why: `${orientation} is not the ${needed} that is needed`,
      };
    const value = tried === 0 ? fullCredit : tried === 1 ? fullCredit / 2 : 0;
    return { term: 'orientation', turn, value, why: `${orientation} makes the image upright, attempt ${tried + 1}` };
  });
};

const cropEvents = (needed: TaskNeeds['box'], views: readonly View[], member: GradedEpisode): ProcessEvent[] => {
  if (needed === null) return [];
  const start = intersectionOverUnion(needed, wholeInput(member, 0));
  let best = start;
  const crops = views.filter(({ box, input }) => intersectionOverUnion(box, wholeInput(member, input)) < 0.98);
  return crops.slice(0, countedCrops).flatMap(({ turn, box, input }) => {
    const overlap = input === 0 ? intersectionOverUnion(needed, box) : 0;
    const gain = Math.max(0, overlap - best);
    best = Math.max(best, overlap);
    const why = `a crop with the overlap ${overlap.toFixed(2)} after ${(overlap - gain).toFixed(2)}`;
    return gain > 0 ? [{ term: 'crop', turn, value: (fullCredit * gain) / (1 - start), why } as const] : [];
  });
};

const correctionEvents = (
  calls: readonly ToolCall[],
  member: GradedEpisode,
  views: readonly View[],
  mu: number,
): ProcessEvent[] => {
  const failed = calls.findIndex(hasFailed);
  const repair = failed < 0 ? undefined : calls.slice(failed + 1).find((call) => isEffective(member, call, views));
  return repair
    ? [{ term: 'correction', turn: repair.turn, value: fullCorrection * (1 - mu), why: 'repaired a call that failed' }]
    : [];
};

/**
 * What an episode did to the image that its task is about; nothing where the task does not say what it needs.
 *
 * @param mu - Accuracy of its group: repairing a call is worth less where the task is easy, as the call itself is.
 */
export const processEvents = (member: GradedEpisode, mu: number): ProcessEvent[] => {
  const { needs } = member.episode.task;
  if (!needs) return [];
  const views = newViews(member);
  return [
    ...orientationEvents(needs.orientation, views),
    ...cropEvents(needs.box, views, member),
    ...correctionEvents(toolCalls(member), member, views, mu),
  ];
};
