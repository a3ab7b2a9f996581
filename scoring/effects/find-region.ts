import type { Box } from '../../domain/image-location.ts';
import type { GreyImage } from './grey-image.ts';

const anchors = 24;
const verified = 2048;

const histogramOf = (image: GreyImage): Uint32Array => {
  const counts = new Uint32Array(256);
  for (const value of image.pixels) counts[value] = (counts[value] ?? 0) + 1;
  return counts;
};

/** Pixels of the part, spread over it, those whose brightness is rarest in the whole first: they reject soonest. */
const anchorsOf = (part: GreyImage, whole: GreyImage): readonly (readonly [x: number, y: number, value: number])[] => {
  const counts = histogramOf(whole);
  const step = Math.max(1, Math.floor(Math.sqrt((part.width * part.height) / 1024)));
  const candidates: [number, number, number][] = [];
  for (let y = step >> 1; y < part.height; y += step)
    for (let x = step >> 1; x < part.width; x += step) candidates.push([x, y, part.pixels[y * part.width + x] ?? 0]);
  const rarity = ([, , value]: readonly [number, number, number]): number => counts[value] ?? 0;
  return candidates.sort((one, other) => rarity(one) - rarity(other)).slice(0, anchors);
};

const meanDifference = (part: GreyImage, whole: GreyImage, left: number, top: number): number => {
  const total = part.width * part.height;
  const step = Math.max(1, Math.floor(total / verified));
  let [sum, count] = [0, 0];
  for (let index = 0; index < total; index += step, count += 1) {
    const [x, y] = [index % part.width, Math.floor(index / part.width)];
    sum += Math.abs((part.pixels[index] ?? 0) - (whole.pixels[(top + y) * whole.width + left + x] ?? 0));
  }
  return sum / count;
};

/** Whether an image has anything to find it by. */
export const isFlat = (image: GreyImage): boolean => {
  let [low, high] = [255, 0];
  for (const value of image.pixels) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return high - low < 8;
};

export interface FoundRegion {
  readonly box: Box;
  /** Mean absolute difference of the pixels, 0 to 255. */
  readonly difference: number;
}

const perPixel = 6;
const onAverage = 2;

/**
 * The region of `whole` that shows the same pixels as `part`, up to what decoders differ in; undefined where there is
 * none, and for a part that is flat or under 4 pixels. The most similar one counts, of equal ones the uppermost, then
 * leftmost.
 */
export const findRegion = (part: GreyImage, whole: GreyImage): FoundRegion | undefined => {
  if (part.width > whole.width || part.height > whole.height || part.width < 4 || part.height < 4 || isFlat(part))
    return undefined;
  const points = anchorsOf(part, whole);
  const offsets = Int32Array.from(points, ([x, y]) => y * whole.width + x);
  const values = Uint8Array.from(points, ([, , value]) => value);
  const { pixels } = whole;
  const [firstOffset = 0, firstValue = 0] = [offsets[0], values[0]];
  let best: FoundRegion | undefined;
  for (let top = 0; top <= whole.height - part.height; top += 1)
    for (let left = 0; left <= whole.width - part.width; left += 1) {
      const start = top * whole.width + left;
      // Almost every place ends here, so it is looked at outside the inner loop.
      const gap = (pixels[start + firstOffset] ?? 0) - firstValue;
      if (gap > perPixel || gap < -perPixel) continue;
      let index = 1;
      while (
        index < offsets.length &&
        Math.abs((pixels[start + (offsets[index] ?? 0)] ?? 0) - (values[index] ?? 0)) <= perPixel
      )
        index += 1;
      if (index < offsets.length) continue;
      const difference = meanDifference(part, whole, left, top);
      if (difference > onAverage || (best && difference >= best.difference)) continue;
      best = { box: [left, top, left + part.width, top + part.height], difference };
      if (difference === 0) return best;
    }
  return best;
};
