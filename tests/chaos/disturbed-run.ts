import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Summary, summarySchema } from '../../domain/summary.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { disturb, hasEnded, inSeconds, until } from './disturb.ts';
import type { Fault, FaultOutcome } from './fault.ts';
import { observe } from './observe.ts';
import { type ChaosStack, checkout, lensmith } from './open-stack.ts';

/** Limits of what takes seconds where the machine is not busy. */
const commandMs = 300_000;
const goneMs = 60_000;

export interface DisturbedRun {
  readonly run: string;
  readonly seed: number;
  readonly dir: string;
  readonly status: string;
  /** Class of its failure, where it failed. */
  readonly failure: string | null;
  readonly seconds: number;
  readonly faults: readonly FaultOutcome[];
  readonly summary: Summary | null;
  /** Processes that the run left behind, by command. */
  readonly remains: readonly string[];
}

/** The summary of a run; null where it has none. */
export const readSummary = (dir: string): Promise<Summary | null> =>
  readFile(join(dir, 'report', 'summary.json'), 'utf8').then(
    (text) => summarySchema.parse(JSON.parse(text)),
    () => null,
  );

export interface RunUnderFaults {
  readonly run: string;
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Changes of the spec, as `--set` takes them. */
  readonly changes: readonly string[];
  /** Time for the whole run, milliseconds. */
  readonly limitMs: number;
  readonly say: (line: string) => void;
}

const seconds = (value: number | null): string => (value === null ? '–' : `${value} s`);

const told = ({ stage, kind, component, ...outcome }: FaultOutcome): string => {
  if (!outcome.met) return `${stage}: ${kind} ${component}: not met`;
  const ended = outcome.failure === null ? '' : `, ended as ${outcome.failure} and resumed`;
  const { detectedSeconds: noticed, replacedSeconds: replaced, recoveredSeconds: gotOn } = outcome;
  return `${stage}: ${kind} ${component}: noticed ${seconds(noticed)}, replaced ${seconds(replaced)}, gets on ${seconds(gotOn)}${ended}`;
};

/**
 * Starts a run, does its faults one after the other, each in its stage, and waits for the end.
 *
 * @throws Error where the run cannot be started
 */
export const runUnderFaults = async (stack: ChaosStack, asked: RunUnderFaults): Promise<DisturbedRun> => {
  const { run, seed, faults, changes, limitMs, say } = asked;
  const began = Date.now();
  const deadline = began + limitMs;
  const dir = join(stack.home, 'runs', run);
  const sets = [`run=${run}`, `seed=${seed}`, ...changes].flatMap((change) => ['--set', change]);
  const start = await lensmith(stack, ['train', join(checkout, 'examples', 'smoke.yaml'), ...sets], commandMs);
  if (start.failed) throw new Error(`expected ${run} to start, got: ${start.stderr}`);
  const observer = await observe(stack.temporal, `train/${run}`);
  try {
    const outcomes: FaultOutcome[] = [];
    for (const fault of faults) {
      const outcome = await disturb({ stack, observer, run, dir, deadline }, fault);
      say(`${run} ${told(outcome)}`);
      outcomes.push(outcome);
    }
    let status: string | undefined;
    const ended = await until(deadline, async () => {
      status = await observer.status();
      return hasEnded(status);
    });
    if (!ended) await lensmith(stack, ['cancel', run], commandMs);
    // The last process of a teardown may take a moment to be reaped.
    await until(Date.now() + goneMs, async () => findProcesses({ runId: run }).length === 0);
    return {
      run,
      seed,
      dir,
      status: status ?? 'no answer',
      failure: status === 'FAILED' ? ((await observer.failure()) ?? null) : null,
      seconds: inSeconds(Date.now() - began),
      faults: outcomes,
      summary: await readSummary(dir),
      remains: findProcesses({ runId: run }).map(({ command }) => command),
    };
  } finally {
    await observer.close();
  }
};
