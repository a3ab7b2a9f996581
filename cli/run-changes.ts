import type { Host } from '../activities/host.ts';
import { planStages } from '../activities/plan-run.ts';
import { LensmithError } from '../domain/errors.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { PlanEntry, StageName } from '../domain/stage.ts';
import { stagesFrom } from '../domain/train-options.ts';
import type { KnownRun } from './known-run.ts';
import { changeSpec } from './read-spec-file.ts';
import { stageOption } from './stage-option.ts';

/** Options of the commands that begin with an earlier run. */
export interface ChangeOptions {
  readonly from?: string;
  readonly set?: string[];
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly follow?: boolean;
}

/** What a run is to go on with. */
export interface RunChanges {
  readonly spec: RunSpec;
  readonly from: StageName | null;
  readonly set: readonly string[];
}

/** What `--set` may not change: these say which run it is. */
const fixed = ['run', 'existing', 'version'];

/**
 * Applies `--set` and `--from` to the spec of a known run.
 *
 * @throws LensmithError `config` naming the option, with the key or stage that was probably meant.
 */
export const readChanges = ({ file }: KnownRun, options: ChangeOptions): RunChanges => {
  const { set = [] } = options;
  for (const assignment of set) {
    const [key = ''] = assignment.split('=');
    if (!fixed.includes(key)) continue;
    const wayOut = `"lensmith clone ${file.run} --name NEW" makes another run of it`;
    throw new LensmithError('config', `${key} cannot be changed for a run that exists; ${wayOut}`, { where: '--set' });
  }
  return { spec: changeSpec(file.spec, set, process.cwd()), from: stageOption(options.from), set };
};

/** What each stage would do with the changes. */
export const planChanges = (
  host: Host,
  { dir, file }: Pick<KnownRun, 'dir'> & { readonly file?: KnownRun['file'] },
  { spec, from }: RunChanges,
): Promise<PlanEntry[]> => {
  const wanted = from === null ? [] : stagesFrom(from).map((stage) => [stage, 'asked for now'] as const);
  return planStages(host, { dir }, spec, { ...file?.anew, ...Object.fromEntries(wanted) });
};
