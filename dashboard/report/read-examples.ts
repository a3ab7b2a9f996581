import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { SampleEntry } from '../../evaluation/journal-entry.ts';
import { readJournal } from '../../evaluation/read-journal.ts';
import { pickExamples } from './pick-examples.ts';
import type { ExampleEpisode } from './report-input.ts';

/** Bytes of an image; a larger one would make the page heavy and is named by its digest instead. */
const maximumBytes = 400_000;

const digestsOf = ({ episode: { inputImages, turns } }: SampleEntry): string[] =>
  [...inputImages, ...turns.flatMap(({ call }) => call?.images ?? [])].map(({ digest }) => digest);

/** File names of the kept images, by digest. */
const keptImages = async (folder: string): Promise<Map<string, string>> => {
  const names = await readdir(folder).catch(() => []);
  return new Map(
    names
      .filter((name) => /\.(png|jpeg|webp|gif)$/.test(name))
      .map((name) => [name.slice(0, -extname(name).length), name]),
  );
};

const dataUrl = (name: string, bytes: Buffer): string =>
  `data:image/${extname(name).slice(1)};base64,${bytes.toString('base64')}`;

/**
 * Episodes to show from an evaluation's folder, of those whose images were kept.
 *
 * @throws LensmithError `data` where the journal is damaged.
 */
export const readExamples = async (evaluationDir: string, count: number): Promise<ExampleEpisode[]> => {
  const folder = join(evaluationDir, 'images');
  const kept = await keptImages(folder);
  const entries = new Map<string, SampleEntry>();
  await readJournal(join(evaluationDir, 'journal.jsonl'), {
    onHeader: () => undefined,
    onSample: (entry) => {
      if (digestsOf(entry).every((digest) => kept.has(digest)))
        entries.set(`${entry.sampleId} ${entry.attempt}`, entry);
    },
  });
  const show = async (entry: SampleEntry): Promise<ExampleEpisode> => {
    const images = new Map<string, string>();
    for (const digest of new Set(digestsOf(entry))) {
      const name = kept.get(digest);
      if (name === undefined) continue;
      const bytes = await readFile(join(folder, name));
      if (bytes.length <= maximumBytes) images.set(digest, dataUrl(name, bytes));
    }
    return { entry, images };
  };
  return Promise.all(pickExamples(entries.values(), count).map(show));
};
