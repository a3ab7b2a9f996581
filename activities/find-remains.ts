import { access } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { findByEnvironment, listProcesses, runIdVariable } from '../processes/find-processes.ts';
import { type ProcessInfo, readEnvironment } from '../processes/proc-stat.ts';
import { listLiveRayJobs } from '../processes/ray-jobs.ts';
import { type Host, rayOf, runsFolder } from './host.ts';
import { type RunFile, readRunFile, runFilePath } from './read-run.ts';

/** What runs on this host for one run of this home. */
export interface RunRemains {
  readonly run: string;
  readonly file: RunFile;
  readonly processes: readonly ProcessInfo[];
  /** Submission ids of jobs that Ray has for it. */
  readonly jobs: readonly string[];
  /** Another home whose run has the same id and lives: nothing here may be stopped by that id. */
  readonly otherHome: string | null;
}

export interface Remains {
  readonly runs: readonly RunRemains[];
  /** Why the jobs of Ray are not among them; null where they are. */
  readonly rayProblem: string | null;
}

const hasFolder = (host: Pick<Host, 'home'>, run: string): Promise<boolean> =>
  access(runFilePath(join(runsFolder(host), run))).then(
    () => true,
    () => false,
  );

const processRuns = (): string[] => [
  ...new Set(listProcesses().flatMap(({ pid }) => readEnvironment(pid).get(runIdVariable) ?? [])),
];

const processesOf = (host: Pick<Host, 'home'>, run: string): Pick<RunRemains, 'processes' | 'otherHome'> => {
  const processes = findByEnvironment({ [runIdVariable]: run });
  // A worker that uses the default home does not have it in its environment.
  const homes = processes.map(({ pid }) => readEnvironment(pid).get('LENSMITH_HOME') ?? host.home);
  return { processes, otherHome: homes.find((home) => resolve(home) !== resolve(host.home)) ?? null };
};

/** Everything that lives for runs of this home, whether it should or not. Other homes and the stack are left out. */
export const findRemains = async (host: Host): Promise<Remains> => {
  let rayProblem: string | null = null;
  const jobs = await listLiveRayJobs(rayOf(host)).catch((error: unknown) => {
    rayProblem = error instanceof Error ? error.message : String(error);
    return [];
  });
  const names = [...new Set([...processRuns(), ...jobs.map(({ run }) => run)])].sort();
  const ours = await Promise.all(names.map(async (run) => ((await hasFolder(host, run)) ? [run] : [])));
  const runs = await Promise.all(
    ours.flat().map(async (run) => ({
      run,
      file: await readRunFile({ dir: join(runsFolder(host), run) }),
      ...processesOf(host, run),
      jobs: jobs.filter((job) => job.run === run).map(({ submissionId }) => submissionId),
    })),
  );
  return { runs, rayProblem };
};
