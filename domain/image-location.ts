import { z } from 'zod';

/**
 * The eight lossless orientations. Rotations are counter-clockwise, as in PIL; `flip_horizontal` swaps left and right,
 * `transpose` mirrors at the main diagonal, `transverse` at the other one.
 */
export const orientations = [
  'identity',
  'rotate_90',
  'rotate_180',
  'rotate_270',
  'flip_horizontal',
  'flip_vertical',
  'transpose',
  'transverse',
] as const;
export type Orientation = (typeof orientations)[number];

export const isOrientation = (name: string): name is Orientation => (orientations as readonly string[]).includes(name);

/** A region in pixels: left, top, right, bottom; right and bottom are the first that no longer belong to it. */
export const boxSchema = z
  .tuple([z.number(), z.number(), z.number(), z.number()])
  .refine(([left, top, right, bottom]) => left < right && top < bottom, 'expected left < right and top < bottom');
export type Box = z.infer<typeof boxSchema>;

/**
 * Where the pixels of an image come from: `orientation` applied to the region `box` of the input image number `input`,
 * at whatever scale. It holds for the whole chain of operations that led there.
 */
export const imageLocationSchema = z.strictObject({
  input: z.int().nonnegative(),
  orientation: z.enum(orientations),
  box: boxSchema,
});
export type ImageLocation = z.infer<typeof imageLocationSchema>;

/** The locations of produced images by digest; null for one that shows no plain part of an input: drawn on, plotted. */
export const imageLocationsSchema = z.record(z.string(), imageLocationSchema.nullable());
export type ImageLocations = z.infer<typeof imageLocationsSchema>;

/**
 * What the image of a task needs before it can be read: the orientation that makes the shown image upright, and the
 * region of the shown image that holds the answer; null where the data set does not know.
 */
export const taskNeedsSchema = z.strictObject({
  orientation: z.enum(orientations).nullable(),
  box: boxSchema.nullable(),
});
export type TaskNeeds = z.infer<typeof taskNeedsSchema>;
