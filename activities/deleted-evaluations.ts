import { join } from 'node:path';
import { historyOf } from '../domain/checkpoint-ledger.ts';
import { type EvaluationResult, evaluationResultSchema } from '../domain/evaluation.ts';
import { readJson } from '../processes/atomic-file.ts';
import { readCheckpointEvents } from './checkpoint-events.ts';

/** The evaluations of checkpoints that were deleted, as far as their results are still there; oldest step first. */
export const readDeletedEvaluations = async (
  outputDir: string,
): Promise<{ readonly step: number; readonly result: EvaluationResult }[]> => {
  const events = await readCheckpointEvents(outputDir);
  const deleted = new Map(
    events.flatMap((event) =>
      event.kind === 'pruned' ? [[event.step, historyOf(events, event).settled] as const] : [],
    ),
  );
  const found = await Promise.all(
    [...deleted].map(async ([step, settled]) => {
      if (settled?.kind !== 'evaluated') return [];
      const result = await readJson(join(settled.evaluation, 'result.json'), evaluationResultSchema).catch(
        () => undefined,
      );
      return result ? [{ step, result }] : [];
    }),
  );
  return found.flat().sort((a, b) => a.step - b.step);
};
