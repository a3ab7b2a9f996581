import type { Call, Episode, ImageRef } from '../../domain/episode.ts';
import type { Box, ImageLocation, ImageLocations } from '../../domain/image-location.ts';
import { cropBoxes, sliceBoxes } from '../code/crop-boxes.ts';
import type { Names } from '../code/numeric-expression.ts';
import { locateThrough } from './box.ts';
import type { GreyImage } from './grey-image.ts';
import { locateIn } from './locate-in.ts';

/** Brightness of an image by its digest; undefined where its pixels are not at hand. */
export type Pixels = (digest: string) => GreyImage | undefined;

interface Seen extends ImageLocation {
  readonly image: GreyImage;
}

const sizeNames = ({ width, height }: GreyImage): Names =>
  new Map<string, number | readonly number[]>([
    ...['w', 'W', 'width', 'img_w', 'image_width'].map((name) => [name, width] as const),
    ...['h', 'H', 'height', 'img_h', 'image_height'].map((name) => [name, height] as const),
  ]);

const supposedBoxes = (code: string, source: GreyImage): Box[] => {
  const names = sizeNames(source);
  return [...cropBoxes(code, names), ...sliceBoxes(code, names)];
};

/**
 * Where the images that an episode's code produced come from. Each is looked for in what was there before it, the
 * newest first, and its place is followed back to the input through the whole chain. What the code or its comments say
 * only proposes regions to look at: the pixels decide.
 *
 * An image whose pixels are not at hand is left out; one that shows no plain part of anything before it has null.
 */
export const locateImages = (episode: Pick<Episode, 'inputImages' | 'turns'>, pixels: Pixels): ImageLocations => {
  const seen: Seen[] = episode.inputImages.flatMap(({ digest }, input) => {
    const image = pixels(digest);
    return image
      ? [{ image, input, orientation: 'identity' as const, box: [0, 0, image.width, image.height] as Box }]
      : [];
  });
  const found: ImageLocations = {};
  const locate = (image: GreyImage, code: string): ImageLocation | null => {
    for (const source of seen.toReversed()) {
      const step = locateIn(image, source.image, supposedBoxes(code, source.image));
      if (step) return locateThrough(step, source.image, source);
    }
    return null;
  };
  const visit = ({ digest }: ImageRef, call: Call): void => {
    if (digest in found) return;
    const image = pixels(digest);
    if (!image || seen.length === 0) return;
    const location = locate(image, call.code);
    found[digest] = location;
    if (location) seen.push({ image, ...location });
  };
  for (const { call } of episode.turns) if (call) for (const image of call.images) visit(image, call);
  return found;
};
