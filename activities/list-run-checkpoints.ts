import { readdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { bestKept } from '../domain/checkpoint-keep.ts';
import { type CheckpointEvent, historyOf } from '../domain/checkpoint-ledger.ts';
import type { CheckpointEntry } from '../domain/checkpoint-state.ts';
import { type CheckpointFolder, examineCheckpoints } from '../processes/artifact.ts';
import { findProcesses } from '../processes/find-processes.ts';
import { latestAttempt } from './attempts.ts';
import { readCheckpointEvents } from './checkpoint-events.ts';
import type { Host } from './host.ts';
import { promotedCheckpoints } from './promoted-checkpoints.ts';
import { readRunFile } from './read-run.ts';
import { checkpointFolders, type FolderOfCheckpoints } from './run-folders.ts';

/** Names under which a checkpoint or a model lies while it is written, replaced or deleted. */
const temporary =
  /^(\.(checkpoint-\d+|model)\.((\d+\.)?partial|replaced|[0-9a-f]{8}\.tomb)|\.saving(\.\d+)?|tmp-checkpoint-\d+)$/;

const stepOf = (name: string): number | null => {
  const digits = /checkpoint-(\d+)/.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
};

const folderBytes = async (dir: string): Promise<number> => {
  const entries = await readdir(dir, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
};

interface Surroundings {
  readonly run: string;
  readonly stage: FolderOfCheckpoints;
  readonly events: readonly CheckpointEvent[];
  readonly promoted: ReadonlySet<string>;
  /** Why no checkpoint here can belong to the run; undefined where they can. */
  readonly ownerless: string | undefined;
  readonly verify: boolean;
}

const blank = { best: false, promoted: false, verified: false, evaluation: null } as const;

const describe = async (
  found: CheckpointFolder,
  best: number | undefined,
  here: Surroundings,
): Promise<CheckpointEntry> => {
  const { run, stage, events, promoted, ownerless, verify } = here;
  const path = found.whole ? found.checkpoint.path : found.path;
  const common = { run, stage: stage.stage, step: found.step, path, bytes: await folderBytes(path) };
  if (!found.whole) return { ...common, ...blank, state: 'torn', reason: found.reason };
  const { settled, verified } = historyOf(events, found.checkpoint);
  return {
    ...common,
    state: ownerless ? 'leaking' : 'complete',
    reason: ownerless ?? '',
    best: found.step === best,
    promoted: promoted.has(resolve(path)),
    verified: verified || verify,
    evaluation:
      settled?.kind === 'evaluated'
        ? { kind: 'evaluated', accuracy: settled.accuracy, toolCallsPerEpisode: settled.toolCallsPerEpisode }
        : settled && { kind: 'given-up', type: settled.type },
  };
};

const listTemporary = async ({ run, stage }: Surroundings, lives: boolean): Promise<CheckpointEntry[]> => {
  const names = (await readdir(stage.path).catch(() => [])).filter((name) => temporary.test(name)).sort();
  return Promise.all(
    names.map(async (name): Promise<CheckpointEntry> => {
      const path = join(stage.path, name);
      const state = lives ? 'writing' : 'leaking';
      const reason = lives ? '' : 'a temporary name, and no program of the run lives';
      return {
        ...blank,
        run,
        stage: stage.stage,
        step: stepOf(name),
        path,
        bytes: await folderBytes(path),
        state,
        reason,
      };
    }),
  );
};

const listFolder = async (here: Surroundings, lives: boolean): Promise<CheckpointEntry[]> => {
  const found = await examineCheckpoints(here.stage.path, { deep: here.verify });
  const kept = found.flatMap((one) => {
    if (!one.whole) return [];
    const { step, digest } = one.checkpoint;
    return [{ step, digest, settled: historyOf(here.events, { step, digest }).settled }];
  });
  const best = here.stage.evaluated ? bestKept(kept) : undefined;
  const folders = await Promise.all(found.map((one) => describe(one, best, here)));
  return [...folders, ...(await listTemporary(here, lives))];
};

/**
 * Everything that lies among the checkpoints of a run, in the order of its stages and steps.
 *
 * @param verify - Compares every byte with the manifests, which takes as long as reading them all.
 */
export const listRunCheckpoints = async (
  host: Pick<Host, 'home'>,
  run: { readonly run: string; readonly dir: string },
  { verify }: { readonly verify: boolean },
): Promise<CheckpointEntry[]> => {
  const isRun = await readRunFile(run).then(
    () => true,
    () => false,
  );
  const lives = findProcesses({ runId: run.run }).length > 0;
  const promoted = await promotedCheckpoints(host, run.dir);
  const listed = [];
  for (const stage of await checkpointFolders(run)) {
    const ownerless = !isRun
      ? 'its folder has no run.json that can be read'
      : (await latestAttempt(run, stage.stage))
        ? undefined
        : `the run has no attempt of ${stage.stage}`;
    const events = await readCheckpointEvents(stage.path);
    listed.push(...(await listFolder({ run: run.run, stage, events, promoted, ownerless, verify }, lives)));
  }
  return listed;
};
