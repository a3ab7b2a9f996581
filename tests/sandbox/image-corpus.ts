import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

const folder = join(import.meta.dirname, '../fixtures/images');

/** Images of the corpus that no session can be opened with. */
const broken: ReadonlySet<string> = new Set([
  'bomb.png',
  'empty.png',
  'header-only.png',
  'huge-size.png',
  'no-image.png',
  'no-size.png',
  'truncated.jpg',
  'truncated.png',
]);

/** An image of `tests/fixtures/images`. */
export interface CorpusImage {
  readonly name: string;
  readonly content: Buffer;
  /** Whether it decodes within the limits of a session; undefined where that depends on the memory there is. */
  readonly opens: boolean | undefined;
}

/** The images that `tests/fixtures/make_images.py` made. */
export const imageCorpus = async (): Promise<CorpusImage[]> => {
  const names = (await readdir(folder)).toSorted();
  return Promise.all(
    names.map(async (name) => ({
      name,
      content: await readFile(join(folder, name)),
      opens: name === 'lying-length.png' ? undefined : !broken.has(name),
    })),
  );
};
