import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import type { StageName, StageStatus } from '../../domain/stage.ts';
import { type Summary, summarySchema } from '../../domain/summary.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { components, processesOf } from './components.ts';
import type { Fault } from './draw-faults.ts';
import { haveGone, type Inflicted, inflict } from './inflict.ts';
import { type Observer, observe, stepsOf } from './observe.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const pollMs = 250;

/** A stack of the test's own. */
export interface ChaosStack {
  readonly home: string;
  /** `host:port` of its Temporal. */
  readonly temporal: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface FaultOutcome extends Fault {
  /** `missed`: the component had no process in this stage, or the stage was over before. */
  readonly met: boolean;
  /** Seconds until another process stood in its place; null where it was continued, or needed none. */
  readonly replacedSeconds: number | null;
  /** Seconds until the run was seen to get on. */
  readonly recoveredSeconds: number | null;
}

export interface DisturbedRun {
  readonly run: string;
  readonly seed: number;
  readonly dir: string;
  readonly status: string;
  readonly seconds: number;
  readonly faults: readonly FaultOutcome[];
  readonly summary: Summary | null;
  /** What the run left behind: processes by command. */
  readonly remains: readonly string[];
}

export const lensmith = (stack: ChaosStack, args: readonly string[], limitMs = 900_000) =>
  execa(join(checkout, 'cli', 'lensmith'), args, { env: { ...stack.env }, timeout: limitMs, reject: false });

const programs: Partial<Record<StageName, StageName>> = { 'base-model': 'base-model', sft: 'sft', rl: 'rl' };

/** Something that only grows while a run gets on. */
const advanceOf = async (observer: Observer, dir: string): Promise<string | undefined> => {
  const stages = await observer.stages();
  if (!stages) return undefined;
  const steps = await Promise.all(Object.values(programs).map((stage) => stepsOf(dir, stage)));
  const seen = stages.map(({ state, progress }: StageStatus) => [state, progress?.step ?? 0]);
  return JSON.stringify([seen, steps.map((list) => list.length)]);
};

const until = async (deadline: number, done: () => Promise<boolean>): Promise<boolean> => {
  for (;;) {
    if (await done()) return true;
    if (Date.now() > deadline) return false;
    await delay(pollMs);
  }
};

/** Whether a stage works by now: for one with a program, whether that has done a step. */
const isAtWork = async (observer: Observer, dir: string, stage: StageName): Promise<'before' | 'at work' | 'over'> => {
  const status = (await observer.stages())?.find(({ name }) => name === stage);
  if (!status || status.state === 'pending') return 'before';
  if (status.state !== 'running') return 'over';
  const program = programs[stage];
  return program && (await stepsOf(dir, program)).length === 0 ? 'before' : 'at work';
};

/** Without an answer nobody knows, so it has not. */
const hasEnded = (status: string | undefined): boolean => status !== undefined && status !== 'RUNNING';

const inSeconds = (ms: number): number => Math.round(ms / 100) / 10;

const disturb = async (
  { home }: ChaosStack,
  observer: Observer,
  dir: string,
  fault: Fault,
  deadline: number,
): Promise<FaultOutcome> => {
  const missed: FaultOutcome = { ...fault, met: false, replacedSeconds: null, recoveredSeconds: null };
  const component = components.find(({ name }) => name === fault.component);
  if (!component) throw new Error(`expected a component, got ${fault.component}`);
  await until(deadline, async () => {
    if ((await isAtWork(observer, dir, fault.stage)) !== 'before') return true;
    return hasEnded(await observer.status());
  });
  if ((await isAtWork(observer, dir, fault.stage)) !== 'at work') return missed;
  await delay(fault.afterMs);
  // A server that the stage starts may need a while to be there.
  let done: Inflicted | undefined;
  await until(Math.min(deadline, Date.now() + 20_000), async () => {
    done = await inflict(home, component, fault.kind);
    return done !== undefined || (await isAtWork(observer, dir, fault.stage)) === 'over';
  });
  if (!done) return missed;
  const met = done;
  const before = await advanceOf(observer, dir);
  let replacedAt: number | null = null;
  let recoveredAt: number | null = null;
  await until(deadline, async () => {
    if (replacedAt === null && haveGone(met) && processesOf(home, component).length > 0) replacedAt = Date.now();
    const now = await advanceOf(observer, dir);
    if (recoveredAt === null && now !== undefined && now !== before) recoveredAt = Date.now();
    return recoveredAt !== null || hasEnded(await observer.status());
  });
  return {
    ...fault,
    met: true,
    replacedSeconds: replacedAt === null ? null : inSeconds(replacedAt - met.at),
    recoveredSeconds: recoveredAt === null ? null : inSeconds(recoveredAt - met.at),
  };
};

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
  const start = await lensmith(stack, ['train', join(checkout, 'examples', 'smoke.yaml'), ...sets], 60_000);
  if (start.failed) throw new Error(`expected ${run} to start, got: ${start.stderr}`);
  const observer = await observe(stack.temporal, `train/${run}`);
  try {
    const outcomes: FaultOutcome[] = [];
    for (const fault of faults) {
      const outcome = await disturb(stack, observer, dir, fault, deadline);
      const { component, stage, kind, met, recoveredSeconds } = outcome;
      say(`${run} ${stage}: ${kind} ${component}: ${met ? `the run gets on after ${recoveredSeconds} s` : 'not met'}`);
      outcomes.push(outcome);
    }
    let status: string | undefined;
    await until(deadline, async () => {
      status = await observer.status();
      return hasEnded(status);
    });
    // The last process of a teardown may take a moment to be reaped.
    await until(Date.now() + 5000, async () => findProcesses({ runId: run }).length === 0);
    return {
      run,
      seed,
      dir,
      status: status ?? 'no answer',
      seconds: inSeconds(Date.now() - began),
      faults: outcomes,
      summary: await readSummary(dir),
      remains: findProcesses({ runId: run }).map(({ command }) => command),
    };
  } finally {
    await observer.close();
  }
};
