import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { WorkflowIdReusePolicy } from '@temporalio/common';
import type { Command } from 'commander';
import { typedFailureOf } from '../../activities/failures.ts';
import { hostFromEnvironment, runsFolder } from '../../activities/host.ts';
import { planStages } from '../../activities/plan-run.ts';
import { readSpec, runFilePath } from '../../activities/read-run.ts';
import { LensmithError } from '../../domain/errors.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import { runIdAt } from '../../domain/run-id.ts';
import type { RunSpec } from '../../domain/run-spec.ts';
import type { TrainResult } from '../../domain/stage.ts';
import { summarySchema } from '../../domain/summary.ts';
import { controlQueue } from '../../domain/task-queues.ts';
import { writeFileAtomic } from '../../processes/atomic-file.ts';
import { connectClient, stackEnvironment } from '../connect.ts';
import { followRun } from '../follow.ts';
import { planTable } from '../plan-table.ts';
import { readSpecFile } from '../read-spec-file.ts';
import { resultTable } from '../result-table.ts';
import { findRun, workflowIdOf } from '../run-client.ts';

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};

const start = async (spec: RunSpec): Promise<string> => {
  const run = spec.run ?? runIdAt(spec.name, new Date());
  const client = await connectClient();
  try {
    await client.workflow.start('train-pipeline', {
      taskQueue: controlQueue,
      workflowId: workflowIdOf(run),
      // The run's folder is what says whether a run may begin again; Temporal only refuses one that still runs.
      workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
      args: [{ ...spec, run }],
      staticSummary: `${spec.name}: train-pipeline`,
      staticDetails: `protocol ${spec.protocol}, seed ${spec.seed}, host ${spec.host}`,
    });
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new LensmithError('config', `the run "${run}" is under way; "lensmith watch ${run}" shows it`, {
      where: 'run',
      cause: error,
    });
  } finally {
    await client.connection.close();
  }
  return run;
};

const showResult = async (result: TrainResult): Promise<void> => {
  const summary = summarySchema.parse(JSON.parse(await readFile(result.summary, 'utf8')));
  write('');
  write(resultTable(summary));
  write('base / sft / rl in the columns with slashes; intervals are Wilson 95 %.');
  write(summary.judge.note);
  write('');
  write(`decision     ${result.decision}: ${summary.promoted?.why ?? ''}`);
  write(`report       ${result.report}`);
  write(`summary      ${result.summary}`);
  write(`checkpoints  ${summary.promoted?.path ?? join(result.dir, 'checkpoints')}`);
  write(`run folder   ${result.dir}`);
  write('');
  write('next:');
  write('  lensmith status                          what runs on this machine');
  write(`  lensmith nightly enable ${summary.name.padEnd(16)} evaluate the promoted checkpoint every night`);
  write('  lensmith down                            stop the local stack');
};

const deepestMessage = (error: Error): string =>
  error.cause instanceof Error ? deepestMessage(error.cause) : error.message;

/** Follows a run to its end; Ctrl-C leaves the view, not the run. */
const watch = async (run: string): Promise<void> => {
  const client = await connectClient();
  const leave = new AbortController();
  const onInterrupt = (): void => leave.abort();
  process.once('SIGINT', onInterrupt);
  process.once('SIGTERM', onInterrupt);
  try {
    const handle = await findRun(client, run);
    await followRun(client, handle.workflowId, write, leave.signal);
    if (leave.signal.aborted) {
      write('');
      write(`left the view; ${run} goes on. See it again: lensmith watch ${run}; end it: lensmith cancel ${run};`);
      write('stop the stack, and with it the run where it is: lensmith down');
      process.exitCode = 130;
      return;
    }
    await showResult((await handle.result()) as TrainResult);
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const failure = typedFailureOf(error) ?? { type: 'infrastructure' as const, message: deepestMessage(error) };
    const wayOn = failure.type === 'config' ? '' : `\ngo on from what is done: lensmith resume ${run}`;
    throw new LensmithError(failure.type, `${failure.message}${wayOn}`, { where: `run ${run}`, cause: error });
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
    await client.connection.close();
  }
};

const dryRun = async (spec: RunSpec): Promise<void> => {
  const host = await hostFromEnvironment(await stackEnvironment());
  const run = spec.run ?? runIdAt(spec.name, new Date());
  const dir = join(runsFolder(host), run);
  write(planTable(run, await planStages(host, { dir }, spec)));
  const folder = join(host.home, 'plans');
  await mkdir(folder, { recursive: true });
  const file = join(folder, `${run}.json`);
  await writeFileAtomic(file, `${JSON.stringify({ ...spec, run }, null, 2)}\n`);
  write(`resolved spec: ${file}`);
  write(`start it:      lensmith train ${file}`);
};

const startAndMaybeFollow = async (spec: RunSpec, options: { follow?: boolean }): Promise<void> => {
  const run = await start(spec);
  write(`run ${run} is under way; it goes on whatever happens to this terminal`);
  write(`watch it:  lensmith watch ${run}`);
  write(`cancel it: lensmith cancel ${run}`);
  if (options.follow) await watch(run);
};

/** Adds the commands that begin, follow and end runs. */
export const addTrainCommands = (program: Command): void => {
  program
    .command('train <spec>')
    .description('start train-pipeline with a run spec in YAML or JSON')
    .option('--dry-run', 'print what each stage would do, write the resolved spec, start nothing')
    .option('--follow', 'show the progress until the run ends')
    .option('--set <key=value...>', 'change a value of the spec, such as rl.steps=20')
    .action(async (file: string, options: { dryRun?: boolean; follow?: boolean; set?: string[] }) => {
      const spec = await readSpecFile(file, options.set);
      await (options.dryRun ? dryRun(spec) : startAndMaybeFollow(spec, options));
    });

  program
    .command('resume <run>')
    .description('go on with a run that failed, was cancelled or was stopped; what is done is taken from the cache')
    .option('--follow', 'show the progress until the run ends')
    .action(async (run: string, options: { follow?: boolean }) => {
      const host = await hostFromEnvironment(await stackEnvironment());
      const dir = join(runsFolder(host), run);
      const spec = await readSpec({ dir }).catch((cause: unknown) => {
        throw new LensmithError('config', `expected a run with the file ${runFilePath(dir)}`, { where: 'RUN', cause });
      });
      await startAndMaybeFollow(parseRunSpec({ ...spec, run, existing: 'resume' }), options);
    });

  program.command('watch <run>').description('show the progress of a run until it ends').action(watch);

  program
    .command('cancel <run>')
    .description('end a run: its programs are stopped and what it holds is given back')
    .action(async (run: string) => {
      const client = await connectClient();
      try {
        const handle = await findRun(client, run);
        await handle.cancel();
        await handle.result().catch(() => undefined);
        write(`${run} is cancelled; its folder and its checkpoints stay. Go on with it: lensmith resume ${run}`);
      } finally {
        await client.connection.close();
      }
    });
};
