import { parentPort } from 'node:worker_threads';
import type { Episode } from '../../domain/episode.ts';
import type { ImageLocations } from '../../domain/image-location.ts';
import { decodeGrey, type GreyImage } from './grey-image.ts';
import { locateImages } from './locate-images.ts';

/** An episode to look at, with the encoded bytes of its images by digest. */
export interface LocateRequest {
  readonly id: number;
  readonly episode: Pick<Episode, 'inputImages' | 'turns'>;
  readonly images: ReadonlyMap<string, Uint8Array>;
}

export interface LocateReply {
  readonly id: number;
  readonly locations: ImageLocations;
}

const locate = async ({ id, episode, images }: LocateRequest): Promise<LocateReply> => {
  const decoded = new Map<string, GreyImage>();
  for (const [digest, bytes] of images) {
    // An image that does not decode is one whose pixels are not at hand.
    const image = await decodeGrey(bytes).catch(() => undefined);
    if (image) decoded.set(digest, image);
  }
  return { id, locations: locateImages(episode, (digest) => decoded.get(digest)) };
};

parentPort?.on('message', async (request: LocateRequest) => parentPort?.postMessage(await locate(request)));
