import { join } from 'node:path';
import { type CheckpointEvent, checkpointEventSchema } from '../domain/checkpoint-ledger.ts';
import { appendLine, readLines } from '../processes/append-line.ts';

const fileOf = (outputDir: string): string => join(outputDir, 'checkpoint-ledger.jsonl');

/** What became of the checkpoints of a stage's output folder, oldest first. */
export const readCheckpointEvents = (outputDir: string): Promise<CheckpointEvent[]> =>
  readLines(fileOf(outputDir), checkpointEventSchema);

export const addCheckpointEvent = (outputDir: string, event: CheckpointEvent): Promise<void> =>
  appendLine(fileOf(outputDir), event);
