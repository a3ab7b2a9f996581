import type { Task } from '../../domain/episode.ts';
import { type Box, isOrientation, type Orientation } from '../../domain/image-location.ts';
import { compose, inverse } from '../effects/orientation.ts';

/** What CodeVision requires of an episode, S_req. */
export interface RequiredOperations {
  /** Operations that undo what was done to the image, such as `rotate_270` and `crop`. */
  readonly names: ReadonlySet<string>;
  /** What they do to the shown image together. */
  readonly orientation: Orientation;
  /** Region of the shown image that is to be cropped. */
  readonly box: Box | null;
}

/**
 * The operations that a task requires, from what its `transform` says was done, several joined by `+`, or from its
 * `needs`. A rotation is undone by the opposite one, a flip by itself.
 */
export const requiredOperations = ({ transform, needs }: Task): RequiredOperations => {
  const applied = transform.split(/[+,\s]+/).filter((name) => name !== '' && name !== 'identity');
  const names = new Set(applied.map((name) => (isOrientation(name) ? inverse(name) : name)));
  if (needs?.box) names.add('crop');
  if (needs?.orientation && applied.every((name) => !isOrientation(name)) && needs.orientation !== 'identity')
    names.add(needs.orientation);
  const shown = applied.filter(isOrientation).reduce(compose, 'identity' as Orientation);
  return { names, orientation: needs?.orientation ?? inverse(shown), box: needs?.box ?? null };
};
