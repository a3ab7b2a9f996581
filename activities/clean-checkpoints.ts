import { rm } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { type CheckpointEntry, isWaste } from '../domain/checkpoint-state.ts';
import { LensmithError } from '../domain/errors.ts';
import { deleteCheckpoint, sweepTombs } from '../processes/delete-checkpoint.ts';
import { findProcesses } from '../processes/find-processes.ts';

/**
 * Deletes what is torn or leaking among the listed folders; what is complete and the run's own stays, also where it is
 * listed. Returns what was deleted.
 *
 * @throws LensmithError `config` where a program of one of the runs lives on this host.
 */
export const cleanCheckpoints = async (entries: readonly CheckpointEntry[]): Promise<CheckpointEntry[]> => {
  const waste = entries.filter(isWaste);
  for (const run of new Set(waste.map((entry) => entry.run))) {
    const [program] = findProcesses({ runId: run });
    if (program)
      throw new LensmithError(
        'config',
        `a program of the run "${run}" lives (${program.pid}: ${program.command.slice(0, 80)}); wait for it, or ` +
          `lensmith cancel ${run}`,
        { where: 'RUN' },
      );
  }
  for (const { path } of waste) {
    if (/^checkpoint-\d+$/.test(basename(path))) await deleteCheckpoint(path);
    else await rm(path, { recursive: true, force: true });
  }
  for (const folder of new Set(waste.map(({ path }) => dirname(path)))) await sweepTombs(folder);
  return waste;
};
