import type { Box, ImageLocation, Orientation } from '../../domain/image-location.ts';
import { compose, inverse, movePoint } from './orientation.ts';

const area = ([left, top, right, bottom]: Box): number => Math.max(0, right - left) * Math.max(0, bottom - top);

/** Intersection over union of two regions of one frame, 0 to 1. */
export const intersectionOverUnion = (one: Box, other: Box): number => {
  const shared = area([
    Math.max(one[0], other[0]),
    Math.max(one[1], other[1]),
    Math.min(one[2], other[2]),
    Math.min(one[3], other[3]),
  ]);
  const union = area(one) + area(other) - shared;
  return union > 0 ? shared / union : 0;
};

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Whole pixels stay whole through divisions. */
const exact = (value: number): number => Math.round(value * 1e6) / 1e6;

/** A region of a produced image as the region of the input that it shows; `frame` says where the image comes from. */
export const boxInInput = (box: Box, size: Size, frame: ImageLocation): Box => {
  const back = inverse(frame.orientation);
  const [left, top, right, bottom] = frame.box;
  const corner = (x: number, y: number): readonly [number, number] => {
    const [u, v] = movePoint(back, x / size.width, y / size.height);
    return [left + u * (right - left), top + v * (bottom - top)];
  };
  const [x0, y0] = corner(box[0], box[1]);
  const [x1, y1] = corner(box[2], box[3]);
  return [exact(Math.min(x0, x1)), exact(Math.min(y0, y1)), exact(Math.max(x0, x1)), exact(Math.max(y0, y1))];
};

/** The location of an image that is `orientation` of the region `box` of another, which itself lies at `frame`. */
export const locateThrough = (
  step: { readonly orientation: Orientation; readonly box: Box },
  size: Size,
  frame: ImageLocation,
): ImageLocation => ({
  input: frame.input,
  orientation: compose(frame.orientation, step.orientation),
  box: boxInInput(step.box, size, frame),
});
