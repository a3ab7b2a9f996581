import type { Base64Text } from './base64-text.ts';
import { createSpill, type Extent } from './spill.ts';

interface KeptImage {
  readonly digest: string;
  readonly base64: Base64Text;
}

export interface ImageMemory<Image extends KeptImage> {
  /** The image of this digest, where an episode still holds it; the caller then holds it too. */
  find(digest: string): Image | undefined;
  /** Takes an image in and returns it, or the equal one that is there already; the caller holds it. */
  keep(image: Image): Image;
  /**
   * Says that one holder of an image is done with it. After the last one its memory is used for others; an image whose
   * holders do not say so goes with them.
   */
  release(image: Image): void;
  /** Waits until what is on its way to the disk is little enough for more to come. */
  room(): Promise<void>;
  /** Bytes of base64 in memory. */
  bytes(): number;
}

/** What the memory knows of an image after the image itself is gone. */
interface Held {
  readonly digest: string;
  readonly length: number;
  holders: number;
  extent: Extent | undefined;
  isGone: boolean;
}

const mostPendingBytes = 16 * 1024 * 1024;

/**
 * Keeps the images of all episodes of a process once each, as long as one of them holds it. Above `budget` bytes new
 * images are written to the disk and read from there for each request, so that many long histories do not fill the
 * memory.
 */
export const createImageMemory = <Image extends KeptImage>(budget: () => number): ImageMemory<Image> => {
  const images = new Map<string, { readonly image: WeakRef<Image>; readonly held: Held }>();
  const spill = createSpill();
  const waiting: (() => void)[] = [];
  let bytes = 0;
  let pending = 0;

  const forget = (held: Held): void => {
    if (images.get(held.digest)?.held === held) images.delete(held.digest);
    held.isGone = true;
    if (held.extent) held.extent.release();
    else bytes -= held.length;
  };
  const gone = new FinalizationRegistry<Held>(forget);

  const wakeNext = (): void => {
    if (pending <= mostPendingBytes) waiting.shift()?.();
  };

  const moveToDisk = async (base64: Base64Text, held: Held): Promise<void> => {
    pending += held.length;
    try {
      const extent = await base64.moveTo(spill);
      if (held.isGone) extent.release();
      else {
        held.extent = extent;
        bytes -= held.length;
      }
    } catch {
      // Where the disk is full the image stays in memory, which costs memory and nothing else.
    } finally {
      pending -= held.length;
      wakeNext();
    }
  };

  const find = (digest: string): Image | undefined => {
    const known = images.get(digest);
    const image = known?.image.deref();
    if (known && image) known.held.holders += 1;
    return image;
  };

  return {
    find,
    keep: (image) => {
      const known = find(image.digest);
      if (known) return known;
      const { digest, base64 } = image;
      const held: Held = { digest, length: base64.length, holders: 1, extent: undefined, isGone: false };
      images.set(digest, { image: new WeakRef(image), held });
      gone.register(image, held, image);
      bytes += held.length;
      if (bytes > budget()) void moveToDisk(base64, held);
      return image;
    },
    release: (image) => {
      const known = images.get(image.digest);
      if (known?.image.deref() !== image) return;
      known.held.holders -= 1;
      if (known.held.holders > 0) return;
      gone.unregister(image);
      forget(known.held);
      image.base64.release();
    },
    room: async () => {
      if (pending <= mostPendingBytes && waiting.length === 0) return;
      await new Promise<void>((resolve) => waiting.push(resolve));
      // The next one looks after this one has taken its room.
      setImmediate(wakeNext);
    },
    bytes: () => bytes,
  };
};
