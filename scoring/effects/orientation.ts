import { type Orientation, orientations } from '../../domain/image-location.ts';

/** x' = a x + b y, y' = c x + d y, around the centre, x to the right and y down. */
type Matrix = readonly [a: number, b: number, c: number, d: number];

const matrices: Readonly<Record<Orientation, Matrix>> = {
  identity: [1, 0, 0, 1],
  rotate_90: [0, 1, -1, 0],
  rotate_180: [-1, 0, 0, -1],
  rotate_270: [0, -1, 1, 0],
  flip_horizontal: [-1, 0, 0, 1],
  flip_vertical: [1, 0, 0, -1],
  transpose: [0, 1, 1, 0],
  transverse: [0, -1, -1, 0],
};

const nameOf = new Map(orientations.map((name) => [matrices[name].join(), name]));

/** The orientation that two have together; both flips, say, are half a turn. */
export const compose = (first: Orientation, then: Orientation): Orientation => {
  const [a, b, c, d] = matrices[then];
  const [e, f, g, h] = matrices[first];
  return nameOf.get([a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h].join()) ?? 'identity';
};

/** The orientation that undoes another. */
export const inverse = (orientation: Orientation): Orientation =>
  orientation === 'rotate_90' ? 'rotate_270' : orientation === 'rotate_270' ? 'rotate_90' : orientation;

/** Whether width and height change places. */
export const swapsSides = (orientation: Orientation): boolean => matrices[orientation][0] === 0;

/** Where a point goes, both in units of the image's sides, 0 to 1. */
export const movePoint = (orientation: Orientation, x: number, y: number): readonly [number, number] => {
  const [a, b, c, d] = matrices[orientation];
  return [a * (x - 0.5) + b * (y - 0.5) + 0.5, c * (x - 0.5) + d * (y - 0.5) + 0.5];
};
