import { type Box, type Orientation, orientations } from '../../domain/image-location.ts';
import { findRegion, isFlat } from './find-region.ts';
import { type GreyImage, orient, shrink } from './grey-image.ts';
import { inverse, swapsSides } from './orientation.ts';
import { similarity } from './similarity.ts';

/** What an image is of another: an orientation of one of its regions. */
export interface Step {
  readonly orientation: Orientation;
  readonly box: Box;
}

const grid = 32;
const sides = (orientation: Orientation, width: number, height: number): readonly [number, number] =>
  swapsSides(orientation) ? [height, width] : [width, height];
const wholeBox = ({ width, height }: GreyImage): Box => [0, 0, width, height];

/** How well `image` shows `orientation` of a region of `source` at whatever scale; undefined where it does not. */
const viewDifference = (image: GreyImage, source: GreyImage, { orientation, box }: Step): number | undefined => {
  const [width, height] = [box[2] - box[0], box[3] - box[1]];
  const ratio = swapsSides(orientation) ? height / width : width / height;
  // One pixel of rounding in a small image is a larger share of its ratio.
  const slack = 0.02 + 1 / Math.min(width, height, image.width, image.height);
  if (Math.abs(Math.log((ratio * image.height) / image.width)) > slack) return undefined;
  const [across, down] = sides(orientation, image.width, image.height);
  const columns = Math.max(4, Math.min(grid, Math.floor(width), across));
  const rows = Math.max(4, Math.min(grid, Math.floor(height), down));
  const { difference, correlation } = similarity(
    orient(shrink(image, wholeBox(image), ...sides(orientation, columns, rows)), inverse(orientation)).pixels,
    shrink(source, box, columns, rows).pixels,
  );
  return correlation >= 0.97 && difference <= 12 ? difference : undefined;
};

const bestOf = (image: GreyImage, source: GreyImage, boxes: readonly Box[]): Step | undefined => {
  let best: Step | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const box of boxes)
    for (const orientation of orientations) {
      const difference = viewDifference(image, source, { orientation, box });
      // A symmetric picture looks the same in several orientations: the first, the plainest, counts.
      if (difference === undefined || difference > least - 0.25) continue;
      least = difference;
      best = { orientation, box };
    }
  return best;
};

const cropOf = (image: GreyImage, source: GreyImage): Step | undefined => {
  let best: Step | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const orientation of orientations) {
    const found = findRegion(orient(image, inverse(orientation)), source);
    if (!found || found.difference >= least) continue;
    least = found.difference;
    best = { orientation, box: found.box };
    if (least === 0) break;
  }
  return best;
};

/**
 * What `image` is of `source`: the whole of it in some orientation at any scale, one of the `supposed` regions at any
 * scale, or any region of it pixel by pixel, which takes the longest to find. The pixels decide in every case; undefined where they
 * show nothing of the source, and for a flat image, in which there is nothing to see.
 */
export const locateIn = (image: GreyImage, source: GreyImage, supposed: readonly Box[]): Step | undefined => {
  if (isFlat(image)) return undefined;
  const inside = supposed
    .map(
      ([left, top, right, bottom]): Box => [
        Math.max(0, left),
        Math.max(0, top),
        Math.min(source.width, right),
        Math.min(source.height, bottom),
      ],
    )
    .filter(([left, top, right, bottom]) => right - left >= 4 && bottom - top >= 4);
  return bestOf(image, source, [wholeBox(source)]) ?? bestOf(image, source, inside) ?? cropOf(image, source);
};
