import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import type { SampleEntry } from '../../evaluation/journal-entry.ts';
import { readJournal } from '../../evaluation/read-journal.ts';
import type { ExampleEpisode } from './report-input.ts';

const digestsOf = ({ episode }: SampleEntry): string[] => [
  ...episode.inputImages.map(({ digest }) => digest),
  ...episode.turns.flatMap(({ call }) => call?.images.map(({ digest }) => digest) ?? []),
];

const kindOf = ({ episode, grade }: SampleEntry): string =>
  [
    grade.verdict === 'correct' ? 'right' : 'wrong',
    episode.task.family,
    episode.turns.some(({ call }) => call) ? 'code' : 'direct',
  ].join(' ');

/**
 * Episodes of an evaluation that differ in kind (right or wrong, family, with or without code), those whose images were
 * kept, at most `count`, right and wrong ones in turn.
 */
export const readExamples = async (evaluationDir: string, count: number): Promise<ExampleEpisode[]> => {
  const folder = join(evaluationDir, 'images');
  const names = await readdir(folder).catch(() => []);
  const files = new Map(names.map((name) => [name.slice(0, -extname(name).length), name]));
  const byKind = new Map<string, SampleEntry>();
  await readJournal(join(evaluationDir, 'journal.jsonl'), {
    onHeader: () => undefined,
    onSample: (entry) => {
      const kind = kindOf(entry);
      if (!byKind.has(kind) && digestsOf(entry).every((digest) => files.has(digest))) byKind.set(kind, entry);
    },
  });
  const entries = [...byKind.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, entry]) => entry);
  const right = entries.filter(({ grade }) => grade.verdict === 'correct');
  const wrong = entries.filter(({ grade }) => grade.verdict !== 'correct');
  const chosen = right.flatMap((entry, index) => [entry, ...wrong.slice(index, index + 1)]);
  return Promise.all(
    [...chosen, ...wrong.slice(right.length)].slice(0, count).map(async (entry) => {
      const urls = digestsOf(entry).map(async (digest): Promise<[string, string]> => {
        const name = files.get(digest) ?? '';
        const content = await readFile(join(folder, name));
        return [digest, `data:image/${extname(name).slice(1)};base64,${content.toString('base64')}`];
      });
      return { entry, images: new Map(await Promise.all(urls)) };
    }),
  );
};
