import { join } from 'node:path';
import type { Command } from 'commander';
import { LensmithError } from '../../domain/errors.ts';
import { write } from '../write.ts';
import { addEvalExportCommand } from './eval-export.ts';
import { addEvalFlags, readEvalFlags } from './eval-flags.ts';
import { listenForInterrupt } from './eval-interrupt.ts';
import { createProgressView } from './eval-progress.ts';
import type { EvalOutcome } from './eval-run.ts';

/** Exit codes beside 0, 1 and 2, which all commands have. */
export const exitCodes = { someUndecided: 3, tooManyUndecided: 4, interrupted: 130 } as const;

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
const counts = (found: Readonly<Record<string, number>>): string =>
  Object.entries(found)
    .map(([name, count]) => `${name} ${count}`)
    .join(', ');

const summary = ({ result, files, decided, evaluationDir }: EvalOutcome): string[] => {
  const [all] = result.slices;
  if (!all) return [];
  const bounds = `${percent(all.accuracy)} if all undecided were wrong, ${percent(all.accuracyIfUndecidedRight)} if all were right`;
  return [
    `episodes   ${all.samples}: ${counts(result.endings)}`,
    `verdicts   ${counts(result.verdicts)}`,
    decided
      ? `accuracy   ${percent(all.accuracy)} [${percent(all.low)}, ${percent(all.high)}] (Wilson 95 %)${all.undecided > 0 ? `; ${bounds}` : ''}`
      : `accuracy   not given, too many samples have no verdict; ${bounds}`,
    `tool use   ${all.toolCallsPerEpisode.toFixed(2)} calls an episode, ${all.executionSuccess === null ? 'none' : percent(all.executionSuccess)} of them ran`,
    ...(files ? [`results    ${files.resultFile}`, `statistics ${files.statsFile}`] : []),
    `journal    ${join(evaluationDir, 'journal.jsonl')}`,
  ];
};

/** Shows the journal's entries of single samples, each turn in full. */
const showSamples = async (evaluationDir: string, samples: readonly string[]): Promise<void> => {
  const { indexedEntries, indexJournal } = await import('../../evaluation/journal-index.ts');
  const journal = join(evaluationDir, 'journal.jsonl');
  for await (const entry of indexedEntries(journal, await indexJournal(journal)))
    if (samples.includes(entry.sampleId)) write(JSON.stringify(entry, null, 2));
};

/** Verdicts that come of an outage and not of the model. */
const missing = ({ result }: EvalOutcome): number =>
  (result.verdicts.infra_error ?? 0) + (result.verdicts.judge_failed ?? 0);

const evaluate = async (found: Record<string, unknown>): Promise<void> => {
  const flags = readEvalFlags(found);
  // The help and a wrong flag need nothing of it.
  const { runEval } = await import('./eval-run.ts');
  const interrupt = listenForInterrupt(say);
  const view = createProgressView(process.stderr);
  try {
    const outcome = await runEval(flags, interrupt, view);
    view.end();
    if (flags.sample) await showSamples(outcome.evaluationDir, flags.sample);
    for (const line of summary(outcome)) (flags.sample ? say : write)(line);
    const without = missing(outcome);
    if (without === 0) return;
    process.exitCode = outcome.decided ? exitCodes.someUndecided : exitCodes.tooManyUndecided;
    say(
      `lensmith: episodes without a verdict: ${without}. Run the same command again to ask the judge anew, with ` +
        '--retry-failed to ask the model anew where an episode failed; without a judge, give one by --judge-url',
    );
  } catch (error) {
    view.end();
    if (!(error instanceof LensmithError) || error.type !== 'cancelled') throw error;
    say(`lensmith: ${error.message}`);
    process.exitCode = exitCodes.interrupted;
  } finally {
    interrupt.end();
  }
};

const help = `
Exit codes:
  0    every episode has a verdict, or reached a limit that counts against the model
  1    the evaluation failed: a server, the sandbox, the disk or the data
  2    a flag is wrong, or the results in the folder belong to other settings
  3    some episodes have no verdict (infra_error, judge_failed); their share is within --max-undecided
  4    as 3, above --max-undecided: the files are written, without an accuracy
  130  interrupted; the same command goes on

Run the same command again and it goes on where it was; nothing that is answered is asked again.`;

/** Adds the commands that evaluate a served model on a data set. */
export const addEvalCommands = (program: Command): void => {
  const command = program
    .command('eval')
    .description('run a data set through a model behind servers of the OpenAI API')
    .addHelpText('after', help)
    .action(evaluate);
  addEvalFlags(command);
  addEvalExportCommand(command);
};
