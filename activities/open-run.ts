import { access, mkdir, readdir } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';
import { LensmithError } from '../domain/errors.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageName } from '../domain/stage.ts';
import { type RunOrigin, stagesFrom } from '../domain/train-options.ts';
import { isProtocolName, loadProtocol } from '../episodes/load-protocol.ts';
import { readJson, writeFileAtomic } from '../processes/atomic-file.ts';
import { ensureDiskSpace } from '../processes/disk-space.ts';
import { type Host, runsFolder } from './host.ts';
import { clearPause } from './pause-mark.ts';
import { type RunFile, runFilePath, runFileSchema } from './read-run.ts';

/** Below this a run is not begun: a full disk half-way costs more than an error now. */
const minimumFreeBytes = 1024 ** 3;

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

/** An attempt that was cut off leaves an empty folder, or the temporary name of its first file. */
const holdsAnything = async (dir: string): Promise<boolean> =>
  (await readdir(dir).catch(() => [])).some((name) => !/^\..*\.tmp$/.test(name));

const namedPaths = (spec: RunSpec): [where: string, path: string][] => [
  ...(isProtocolName(spec.protocol) ? [] : [['protocol', spec.protocol] as [string, string]]),
  ...(spec.data.kind === 'mnist'
    ? spec.data.directory === null
      ? []
      : [['data.directory', spec.data.directory] as [string, string]]
    : (['sft', 'rl', 'validation', 'test'] as const).flatMap((key): [string, string][] =>
        spec.data.kind === 'parquet' ? [[`data.${key}`, spec.data[key]]] : [],
      )),
  ...(spec.baseModel.kind === 'pretrained' ? [['baseModel.path', spec.baseModel.path] as [string, string]] : []),
  ...(spec.judge.engine !== 'none' && !spec.judge.model.startsWith('package:')
    ? [['judge.model', spec.judge.model] as [string, string]]
    : []),
];

const checkSpec = async (host: Host, spec: RunSpec): Promise<void> => {
  for (const [where, path] of namedPaths(spec)) {
    if (!isAbsolute(path)) throw new LensmithError('config', `expected an absolute path, got "${path}"`, { where });
    if (!(await exists(path)))
      throw new LensmithError('config', `expected an existing file or folder on host ${host.name}, got "${path}"`, {
        where,
      });
  }
  if (!(await exists(host.python)))
    throw new LensmithError(
      'config',
      `expected a Python interpreter at ${host.python}; run scripts/bootstrap, or set LENSMITH_PYTHON for the host worker`,
      { where: 'host' },
    );
  await loadProtocol(spec.protocol);
};

export interface OpenRunInput {
  readonly spec: RunSpec;
  readonly run: string;
  readonly workflowId: string;
  /** First run id of the workflow: the same in every attempt of the activity. */
  readonly execution: string;
  /** How often this workflow has gone on with the run after a pause. @default 0 */
  readonly round?: number;
  /** This stage and all after it are wanted anew. */
  readonly from?: StageName;
  readonly clonedFrom?: RunOrigin;
}

/** The stages that are wanted anew, each with the repetition it belongs to; earlier wishes hold on until they are done. */
const anewStages = (
  known: RunFile | undefined,
  from: StageName | undefined,
  opening: string,
): Pick<RunFile, 'anew'> => {
  const wanted = from === undefined ? [] : stagesFrom(from).map((stage) => [stage, opening] as const);
  const anew = { ...known?.anew, ...Object.fromEntries(wanted) };
  return Object.keys(anew).length === 0 ? {} : { anew };
};

/**
 * Checks what the spec names on this host, then makes the run's folder and writes `run.json`.
 *
 * @throws LensmithError `config` where something that the spec names is missing, or the folder belongs to another run.
 */
export const openRun =
  (host: Host) =>
  async (input: OpenRunInput): Promise<RunRef> => {
    const { spec, run, workflowId, execution, round = 0, from } = input;
    const opening = `${execution}/${round}`;
    await checkSpec(host, spec);
    const dir = join(runsFolder(host), run);
    const known = await readJson(runFilePath(dir), runFileSchema).catch(() => undefined);
    const owned = known?.execution === execution || (known && spec.existing === 'resume');
    if (!owned && (await holdsAnything(dir)))
      throw new LensmithError(
        'config',
        `the run "${run}" has a folder already, ${dir}. Three ways out: start under another name (run: …), ` +
          `go on with it (lensmith resume ${run}), or remove the folder`,
        { where: 'run' },
      );
    await ensureDiskSpace(runsFolder(host), minimumFreeBytes, 'a run');
    await mkdir(dir, { recursive: true });
    const origin = input.clonedFrom ?? known?.clonedFrom;
    const file: RunFile = {
      version: 1,
      run,
      workflowId,
      execution,
      createdAt: known?.createdAt ?? new Date().toISOString(),
      opening,
      ...anewStages(known, from, opening),
      ...(origin ? { clonedFrom: origin } : {}),
      spec,
    };
    await writeFileAtomic(runFilePath(dir), `${JSON.stringify(file, null, 2)}\n`);
    await clearPause()({ run, dir, workflowId });
    return { run, dir, workflowId };
  };
