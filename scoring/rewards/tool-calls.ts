import type { Call } from '../../domain/episode.ts';
import type { Box, ImageLocation } from '../../domain/image-location.ts';
import type { CallOutcome } from '../../domain/sandbox.ts';
import { hasConstantOutput } from '../code/constant-output.ts';
import { isEmptyCode } from '../code/python-text.ts';
import { intersectionOverUnion } from '../effects/box.ts';
import type { GradedEpisode } from './reward.ts';

/** A call that the policy answers for, with the turn that made it. */
export interface ToolCall {
  readonly turn: number;
  readonly call: Call;
  /** The reply that the model got. */
  readonly reply: string;
}

const failures: readonly CallOutcome[] = ['exception', 'timeout', 'memory', 'policy'];

/** Whether a call failed by the code's own fault. */
export const hasFailed = ({ call }: Pick<ToolCall, 'call'>): boolean => failures.includes(call.outcome);

/** An episode's calls in order; one that the sandbox lost is not the policy's doing. */
export const toolCalls = ({ episode }: GradedEpisode): ToolCall[] =>
  episode.turns.flatMap(({ call, reply }, turn) =>
    call && call.outcome !== 'infrastructure' ? [{ turn, call, reply: reply ?? '' }] : [],
  );

/** Something of an input image that the model was shown, and by which turn; the inputs themselves by turn −1. */
export interface View extends ImageLocation {
  readonly turn: number;
}

const isSameView = (one: ImageLocation, other: ImageLocation): boolean =>
  one.input === other.input &&
  one.orientation === other.orientation &&
  intersectionOverUnion(one.box, other.box) >= 0.98;

export const wholeInput = ({ episode }: GradedEpisode, input: number): Box => {
  const { width = 1, height = 1 } = episode.inputImages[input] ?? {};
  return [0, 0, width, height];
};

/** The new views that calls gave, in order: the same part in the same orientation a second time is none. */
export const newViews = (member: GradedEpisode): View[] => {
  const { locations } = member;
  if (!locations) return [];
  const views: View[] = member.episode.inputImages.map((_, input) => ({
    turn: -1,
    input,
    orientation: 'identity',
    box: wholeInput(member, input),
  }));
  for (const { turn, call } of toolCalls(member))
    for (const { digest } of call.images) {
      const location = locations[digest];
      if (location && !views.some((view) => isSameView(view, location))) views.push({ turn, ...location });
    }
  return views.filter((view) => view.turn >= 0);
};

/**
 * Whether a call did anything: it ran and gave an image, or a text that was not written in its code, and,
 * where pixels are known, an image shows what was not shown before.
 */
export const isEffective = (member: GradedEpisode, { turn, call }: ToolCall, views: readonly View[]): boolean => {
  if (call.outcome !== 'ok' || isEmptyCode(call.code)) return false;
  if (call.images.length === 0 && hasConstantOutput(call.code)) return false;
  const { locations } = member;
  if (!locations || call.stdout.trim() !== '' || call.images.length === 0) return true;
  return call.images.some(({ digest }) => locations[digest] === null) || views.some((view) => view.turn === turn);
};
