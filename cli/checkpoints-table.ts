import Table from 'cli-table3';
import type { CheckpointEntry } from '../domain/checkpoint-state.ts';

/** `1.5 GiB`, in the unit that leaves at most four digits before the point. */
export const sizeText = (bytes: number): string => {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const index = bytes < 1 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${(bytes / 2 ** (10 * index)).toFixed(index === 0 ? 0 : 1)} ${units[index]}`;
};

const stateText = ({ state, best, promoted }: CheckpointEntry): string =>
  [state, ...(best ? ['best'] : []), ...(promoted ? ['promoted'] : [])].join(', ');

const evaluationText = ({ evaluation }: CheckpointEntry): string => {
  if (!evaluation) return '–';
  if (evaluation.kind === 'given-up') return `given up: ${evaluation.type}`;
  return `${(100 * evaluation.accuracy).toFixed(1)} %, ${evaluation.toolCallsPerEpisode.toFixed(2)} calls`;
};

/** The checkpoints of runs for a terminal, with what is wrong with those that are not whole. */
export const checkpointsTable = (entries: readonly CheckpointEntry[]): string => {
  if (entries.length === 0) return 'no checkpoints';
  const table = new Table({
    head: ['run', 'stage', 'step', 'size', 'state', 'validation', 'note'],
    style: { head: [], border: [] },
    colWidths: [null, null, null, null, null, null, 50],
    wordWrap: true,
  });
  for (const entry of entries)
    table.push([
      entry.run,
      entry.stage,
      entry.step === null ? '–' : String(entry.step),
      sizeText(entry.bytes),
      stateText(entry),
      evaluationText(entry),
      entry.reason || (entry.verified ? 'every byte was compared' : ''),
    ]);
  const total = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  return `${table.toString()}\n${sizeText(total)} in ${entries.length} folders`;
};
