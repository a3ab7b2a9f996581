import type { SampleEntry } from '../../evaluation/journal-entry.ts';

const usesCode = ({ episode }: SampleEntry): boolean => episode.turns.some(({ call }) => call !== null);
const isRight = ({ grade }: SampleEntry): boolean => grade.verdict === 'correct';

/** Kinds of episodes in the order in which a place is given to them: what went well and what did not, with and without code. */
const kinds: readonly ((entry: SampleEntry) => boolean)[] = [
  (entry) => isRight(entry) && usesCode(entry),
  (entry) => !isRight(entry) && usesCode(entry),
  (entry) => isRight(entry) && !usesCode(entry),
  (entry) => !isRight(entry) && !usesCode(entry),
];

/**
 * Some episodes that show what a model does: right ones and wrong ones, with code and without, from as many families
 * and transforms as there are. The same entries give the same choice, in whatever order they were asked.
 */
export const pickExamples = (entries: Iterable<SampleEntry>, count: number): SampleEntry[] => {
  const left = [...entries].sort((a, b) => a.sampleId.localeCompare(b.sampleId, 'en', { numeric: true }));
  const picked: SampleEntry[] = [];
  const timesSeen = ({ episode: { task } }: SampleEntry): number =>
    picked.reduce(
      (sum, { episode }) =>
        sum + Number(episode.task.family === task.family) + Number(episode.task.transform === task.transform),
      0,
    );
  for (let turn = 0; picked.length < count && left.length > 0; turn += 1) {
    const ofKind = left.filter((entry) => kinds[turn % kinds.length]?.(entry));
    const [next] = ofKind.sort((a, b) => timesSeen(a) - timesSeen(b));
    if (!next) continue;
    picked.push(next);
    left.splice(left.indexOf(next), 1);
  }
  return picked;
};
