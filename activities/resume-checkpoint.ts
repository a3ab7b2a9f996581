import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { LensmithError } from '../domain/errors.ts';
import type { RunRef } from '../domain/stage.ts';
import { findResumePoint, type ResumePoint } from '../processes/artifact.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import type { Attempt } from './attempts.ts';

const reasonsOf = ({ passedOver }: ResumePoint): string => passedOver.map(({ reason }) => `  ${reason}`).join('\n');

/**
 * The checkpoint from which an attempt goes on, newest first, every byte compared with its manifest. Which one it is,
 * and which newer ones were passed over for what reason, is written to the attempt's `resume.json` and to the log.
 *
 * @throws LensmithError `data` where checkpoints exist but none is whole: a stage never begins anew over them by itself.
 */
export const checkpointToResume = async (
  run: Pick<RunRef, 'run'>,
  attempt: Attempt,
  outputDir: string,
): Promise<ResumePoint['checkpoint']> => {
  const point = await findResumePoint(outputDir);
  const { checkpoint, passedOver } = point;
  const record = { from: checkpoint?.path ?? null, step: checkpoint?.step ?? null, passedOver };
  await writeFileAtomic(join(attempt.dir, 'resume.json'), `${JSON.stringify(record, null, 2)}\n`);
  if (passedOver.length === 0) return checkpoint;
  if (!checkpoint)
    throw new LensmithError(
      'data',
      `${passedOver.length} checkpoints lie there and none is whole; the stage does not begin at step 0 over them:\n` +
        `${reasonsOf(point)}\nPut a whole one back, or delete these (lensmith checkpoints ${run.run} --clean), ` +
        `then: lensmith resume ${run.run}`,
      { where: outputDir },
    );
  Context.current().log.warn(`goes on from ${checkpoint.path}; newer ones are not whole:\n${reasonsOf(point)}`);
  return checkpoint;
};
