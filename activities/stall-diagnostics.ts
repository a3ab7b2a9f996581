import { access, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import type { ProcessInfo } from '../processes/proc-stat.ts';
import { processTable } from '../processes/process-table.ts';
import { runTool } from '../processes/run-tool.ts';
import { tailLines } from '../processes/tail-file.ts';
import type { Attempt } from './attempts.ts';
import type { Diagnostic, ProgramLauncher } from './program-launcher.ts';

/** Nothing that helps to understand a program may keep it from being stopped. */
const limitMs = 40_000;
const loggedLines = 300;
const dumpedProcesses = 16;

const isPython = ({ command }: ProcessInfo): boolean => /^(?:\S*\/)?python[\d.]*(?:\s|$)|^ray::/.test(command);

/** The `py-spy` beside the interpreter, or the one on the path. */
const pySpy = async (python: string): Promise<string> => {
  const beside = join(dirname(python), 'py-spy');
  return access(beside).then(
    () => beside,
    () => 'py-spy',
  );
};

const stacksOf = async (spy: string, pid: number): Promise<string> => {
  const stacks = await runTool(spy, ['dump', '--pid', String(pid)]);
  // A process that somebody has stopped cannot be paused, but read while it stands still.
  return / ended with \d+$/.test(stacks) ? runTool(spy, ['dump', '--nonblocking', '--pid', String(pid)]) : stacks;
};

const collectInto = async (folder: string, { file, collect }: Diagnostic): Promise<string> => {
  const late = new AbortController();
  try {
    const content = await Promise.race([
      collect(),
      delay(limitMs, undefined, { signal: late.signal }).then(() => {
        throw new Error(`nothing came within ${limitMs / 1000} s`);
      }),
    ]);
    await writeFileAtomic(join(folder, file), content.endsWith('\n') ? content : `${content}\n`);
    return 'written';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    late.abort();
  }
};

/**
 * Collects what tells why a program stands still, while it still does: the stacks of its Python processes, its
 * processes as the kernel sees them, the GPUs, what the launcher knows of its surroundings and the end of its log.
 *
 * Everything lands in `diagnostics/` of the attempt; `collected.json` says of each file that it was written or why not.
 * Returns the folder. Never fails, and takes at most forty seconds.
 */
export const collectDiagnostics = async (
  python: string,
  launcher: ProgramLauncher,
  attempt: Attempt,
): Promise<string> => {
  const folder = join(attempt.dir, 'diagnostics');
  await mkdir(folder, { recursive: true });
  const processes = await launcher.processes(attempt).catch(() => []);
  const spy = await pySpy(python);
  const diagnostics: Diagnostic[] = [
    { file: 'processes.tsv', collect: async () => processTable(processes) },
    { file: 'log-end.txt', collect: async () => (await tailLines(attempt.log, loggedLines)).join('\n') },
    { file: 'gpus.txt', collect: () => runTool('nvidia-smi', []) },
    {
      file: 'gpu-processes.csv',
      collect: () => runTool('nvidia-smi', ['--query-compute-apps=pid,process_name,used_memory', '--format=csv']),
    },
    ...launcher.diagnostics,
    ...processes
      .filter(isPython)
      .slice(0, dumpedProcesses)
      .map(({ pid }) => ({
        file: `stacks-${pid}.txt`,
        collect: () => stacksOf(spy, pid),
      })),
  ];
  const results = await Promise.all(
    diagnostics.map(async (diagnostic) => [basename(diagnostic.file), await collectInto(folder, diagnostic)] as const),
  );
  await writeFileAtomic(
    join(folder, 'collected.json'),
    `${JSON.stringify({ at: new Date().toISOString(), files: Object.fromEntries(results) }, null, 2)}\n`,
  );
  return folder;
};
