import { copyFile, link, rename, rm, stat } from 'node:fs/promises';
import { LensmithError } from '../domain/errors.ts';
import { stored } from '../processes/storage-failure.ts';
import { isScoringAs } from '../scoring/answer-kind-of.ts';
import type { EvaluationOptions } from './evaluation-options.ts';
import { forEachBounded } from './for-each-bounded.ts';
import { openJournal, refuseOther } from './journal.ts';
import type { JournalHeader } from './journal-entry.ts';
import { indexedEntries, indexJournal } from './journal-index.ts';

/** Not renamed: a crash would then leave no journal. */
const keepPrevious = async (path: string): Promise<void> => {
  const previous = `${path}.previous`;
  await stored(previous, rm(previous, { force: true }));
  // Not every file system has hard links.
  await link(path, previous).catch(() => stored(previous, copyFile(path, previous)));
};

/**
 * Grades every episode of a journal anew, without asking the model. The new journal takes the old one's place once it
 * is whole; the old one stays as `<path>.previous`. Without a journal there is nothing to do.
 *
 * @throws LensmithError `config` where the journal differs in more than its scoring, `cancelled` where `signal` or
 * `drain` fires, `disk_full` or `infrastructure` where a journal cannot be written.
 */
export const rejudge = async (
  path: string,
  header: JournalHeader,
  {
    grade,
    concurrency,
    signal,
    drain,
    answerKind,
  }: Pick<EvaluationOptions, 'grade' | 'concurrency' | 'signal' | 'drain' | 'answerKind'>,
): Promise<void> => {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size === 0) return;
  const index = await indexJournal(path);
  const { scoring } = header.fingerprint;
  refuseOther(path, { ...index.header, fingerprint: { ...index.header.fingerprint, scoring } }, header);
  if (isScoringAs(index.header.fingerprint.scoring) && !answerKind)
    throw new LensmithError(
      'config',
      `the journal has "${index.header.fingerprint.scoring}", so what its rows say of their answers is lost; name a kind again, or evaluate into another folder`,
      { where: path },
    );
  const graded = `${path}.graded`;
  await stored(graded, rm(graded, { force: true }));
  const journal = await openJournal(graded, header, () => undefined);
  try {
    await forEachBounded(
      indexedEntries(path, index),
      concurrency,
      async (entry) => {
        if (signal.aborted || drain?.aborted)
          throw new LensmithError('cancelled', 'the grading was cancelled; the journal is as it was', { where: path });
        const { task } = entry.episode;
        const episode = answerKind ? { ...entry.episode, task: { ...task, answerKind } } : entry.episode;
        await journal.append({ ...entry, episode, grade: await grade(episode) });
      },
      () => undefined,
    );
  } finally {
    await journal.close();
  }
  await keepPrevious(path);
  await stored(path, rename(graded, path));
};
