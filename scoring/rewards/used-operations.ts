import type { Box } from '../../domain/image-location.ts';
import { cropBoxes } from '../code/crop-boxes.ts';
import { coreOperations, namedOperations } from '../code/named-operations.ts';
import { intersectionOverUnion } from '../effects/box.ts';
import type { RequiredOperations } from './required-operations.ts';
import type { GradedEpisode } from './reward.ts';
import { newViews, toolCalls, wholeInput } from './tool-calls.ts';

/** What the calls that ran did, as CodeVision's paper counts it. */
export interface UsedOperations {
  /** Core operations; an orientation that only a composition reaches counts as the required ones that it does. */
  readonly names: ReadonlySet<string>;
  /** Operations other than the core ones, by name. */
  readonly optional: ReadonlySet<string>;
  /** Crops in order, in the frame of the shown image. */
  readonly boxes: readonly Box[];
  /** What was decided by pixels, or by text where no pixels were at hand. */
  readonly by: 'pixels' | 'code';
}

const core: ReadonlySet<string> = new Set(coreOperations);

/** The operations that an episode really used: by what its images show where that is known, else by its code. */
export const usedOperations = (member: GradedEpisode, required: RequiredOperations): UsedOperations => {
  const ran = toolCalls(member).filter(({ call }) => call.outcome === 'ok');
  const named = ran.flatMap(({ call }) => [...namedOperations(call.code)]);
  const optional = new Set(named.filter((name) => !core.has(name)));
  if (!member.locations) {
    const boxes = ran.flatMap(({ call }) => cropBoxes(call.code));
    const names = new Set([...named.filter((name) => core.has(name)), ...(boxes.length > 0 ? ['crop'] : [])]);
    return { names, optional, boxes, by: 'code' };
  }
  const views = newViews(member);
  const reached = views.some(({ orientation }) => orientation === required.orientation);
  const wanted = [...required.names].filter((name) => core.has(name) && name !== 'crop');
  const turned = views.map(({ orientation }) => orientation).filter((name) => name !== 'identity');
  const boxes = views.flatMap(({ box, input }) =>
    intersectionOverUnion(box, wholeInput(member, input)) < 0.98 ? [box] : [],
  );
  const others = turned.filter((orientation) => orientation !== required.orientation);
  const names = new Set([...others, ...(reached ? wanted : []), ...(boxes.length > 0 ? ['crop'] : [])]);
  return { names, optional, boxes, by: 'pixels' };
};
