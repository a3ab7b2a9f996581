import { join } from 'node:path';
import type { Episode } from '../domain/episode.ts';
import { LensmithError } from '../domain/errors.ts';
import { createImageStore, type ImageStore, type StoredImage } from '../episodes/image-store.ts';
import { isQuiet } from '../episodes/is-quiet.ts';
import type { ModelClient } from '../episodes/model-client.ts';
import { runEpisode } from '../episodes/run-episode.ts';
import type { EvaluationOptions } from './evaluation-options.ts';
import { entryKey } from './journal-entry.ts';
import type { SampleSlot } from './read-samples.ts';
import type { Sample } from './sample-of-row.ts';
import { saveImages } from './save-images.ts';
import { unreadEpisode } from './unread-episode.ts';

type StoredSample = Omit<Sample, 'images'> & { readonly images: readonly (Uint8Array | StoredImage)[] };

/** Puts an image into the store; of one that is no image a copy stays, for the episode to refuse. */
const kept = (bytes: Uint8Array, store: ImageStore): Promise<Uint8Array | StoredImage> =>
  store.add(bytes).catch((error: unknown) => {
    if (error instanceof LensmithError) return Uint8Array.from(bytes);
    throw error;
  });

/** Loads a sample with its images in the store, and none of the bytes that it came in. */
const loadStored = async (slot: SampleSlot, store: ImageStore): Promise<StoredSample> => {
  const { images, ...sample } = await slot.load();
  const found: (Uint8Array | StoredImage)[] = [];
  for (const bytes of images) found.push(await kept(bytes, store));
  return { ...sample, images: found };
};

/** A sample that is ready to be played, or why it cannot be. */
export interface LoadedSample {
  readonly store: ImageStore;
  readonly sample: StoredSample | LensmithError;
}

/**
 * Loads samples and plays attempts at them. A row that cannot be read is an episode too, a `data_error`.
 *
 * The servers are looked at before the first sample is loaded and not before that: what is answered already needs none.
 */
export const createPlayer = (options: EvaluationOptions, client: ModelClient, signal: AbortSignal) => {
  const { outputDir, keepImages = 64, protocol, sampling, prompt = 'protocol' } = options;
  let ready: Promise<void> | undefined;
  return {
    /**
     * Loads the sample and releases its slot.
     *
     * @throws LensmithError as the client's `ready`.
     */
    load: async (slot: SampleSlot): Promise<LoadedSample> => {
      ready ??= client.ready();
      await ready;
      const store = createImageStore();
      try {
        return { store, sample: await loadStored(slot, store) };
      } catch (error) {
        if (error instanceof LensmithError) return { store, sample: error };
        throw error;
      } finally {
        slot.release();
      }
    },
    play: async (
      { sampleId, row }: Pick<SampleSlot, 'sampleId' | 'row'>,
      attempt: number,
      { store, sample }: LoadedSample,
    ): Promise<Episode> => {
      const episodeId = entryKey({ sampleId, attempt });
      if (sample instanceof LensmithError)
        return unreadEpisode(sampleId, episodeId, protocol, options.servedModel, sample);
      const episode = await runEpisode({
        task: sample.task,
        images: sample.images,
        protocol,
        client,
        sandbox: options.sandbox,
        sampling: sampling.seed === null ? sampling : { ...sampling, seed: sampling.seed + attempt },
        signal,
        deadlineSeconds: options.episodeSeconds,
        attempt,
        episodeId,
        store,
        ...(prompt === 'dataset' ? { prompt: sample.prompt } : {}),
      });
      if (row < keepImages) await saveImages(episode, store, join(outputDir, 'images'));
      if (isQuiet(episode)) store.release();
      return episode;
    },
  };
};
