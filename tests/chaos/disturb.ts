import { setTimeout as delay } from 'node:timers/promises';
import type { StageName, StageStatus } from '../../domain/stage.ts';
import { componentOf, isService, processesOf } from './components.ts';
import type { Fault, FaultOutcome } from './fault.ts';
import { haveGone, type Inflicted, inflict } from './inflict.ts';
import { noticesOf } from './notices.ts';
import { attemptsOf, type Observer, stepsOf } from './observe.ts';
import { type ChaosStack, lensmith } from './open-stack.ts';
import { pace } from './pace.ts';

const pollMs = 400;
/** A server that the stage starts may need a while to be there. */
const comesMs = 90_000;
/** A full disk of the runs that ends nothing within this time is borne. */
const fullMs = 60_000;
/** A run that has not got on by then never will. */
const recoverMs = 420_000;

/** A run that is being disturbed. */
export interface Scene {
  readonly stack: ChaosStack;
  readonly observer: Observer;
  readonly run: string;
  readonly dir: string;
  /** Unix time at which all has to be over, milliseconds. */
  readonly deadline: number;
}

export const until = async (deadline: number, done: () => Promise<boolean>): Promise<boolean> => {
  for (;;) {
    if (await done()) return true;
    if (Date.now() > deadline) return false;
    await delay(pollMs);
  }
};

/** Without an answer nobody knows, so it has not. */
export const hasEnded = (status: string | undefined): boolean => status !== undefined && status !== 'RUNNING';

export const inSeconds = (ms: number): number => Math.round(ms / 100) / 10;
const since = (start: number, at: number | null): number | null => (at === null ? null : inSeconds(at - start));

/** Stages whose program writes its steps. */
export const trained: readonly StageName[] = ['base-model', 'sft', 'rl'];

/** Whether a stage works by now: for one with a program, whether that has done a step. */
const isAtWork = async ({ observer, dir }: Scene, stage: StageName): Promise<'before' | 'at work' | 'over'> => {
  const status = (await observer.stages())?.find(({ name }) => name === stage);
  if (!status || status.state === 'pending') return 'before';
  if (status.state !== 'running') return 'over';
  return trained.includes(stage) && (await stepsOf(dir, stage)).length === 0 ? 'before' : 'at work';
};

/** Whether a stage is further than it was: past its step, at other work, or over. Asked once everything is in its place. */
const isFurther = (stage: StageName, before: StageStatus | undefined, now: readonly StageStatus[]): boolean => {
  const status = now.find(({ name }) => name === stage);
  if (!status || !before) return status !== undefined && before === undefined;
  if (status.state !== before.state) return status.state !== 'failed' && status.state !== 'pending';
  // A model that is being loaded tells nothing of how far it is.
  if (stage === 'serve-judge') return true;
  const [then, step] = [before.progress?.step ?? 0, status.progress?.step ?? 0];
  // A trainer that begins again at a checkpoint does its steps once more first.
  return trained.includes(stage) ? step > then : step !== then || status.note !== before.note;
};

/** Resumes a run that a fault has ended. */
const resume = async ({ stack, run, observer, deadline }: Scene): Promise<void> => {
  const { failed, stderr } = await lensmith(stack, ['resume', run, '--yes'], 300_000);
  if (failed) throw new Error(`expected ${run} to be resumed, got: ${stderr}`);
  await until(deadline, async () => (await observer.status()) === 'RUNNING');
};

/** What was so right before a fault, against which its end is told. */
const memorize = async ({ observer, stack, dir }: Scene, { stage, component }: Fault) => ({
  stage: (await observer.stages())?.find(({ name }) => name === stage),
  notices: await noticesOf(stack.home, dir, componentOf(component)),
  attempts: (await attemptsOf(dir, stage)).length,
});
type Memory = Awaited<ReturnType<typeof memorize>>;

/** Waits for the stage and does the fault in it; undefined where it comes too late. */
const strike = async (scene: Scene, fault: Fault): Promise<{ met: Inflicted; before: Memory } | undefined> => {
  const { observer, deadline, stack } = scene;
  await until(deadline, async () => {
    if ((await isAtWork(scene, fault.stage)) !== 'before') return true;
    return hasEnded(await observer.status());
  });
  if ((await isAtWork(scene, fault.stage)) !== 'at work') return undefined;
  await delay(fault.afterMs);
  let done: { met: Inflicted; before: Memory } | undefined;
  await until(Math.min(deadline, Date.now() + comesMs), async () => {
    if ((await isAtWork(scene, fault.stage)) === 'over') return true;
    const before = await memorize(scene, fault);
    const met = await inflict(stack, componentOf(fault.component), fault);
    if (met) done = { met, before };
    return met !== undefined;
  });
  return done;
};

/** Does one fault in its stage, waits until the run gets on with everything in its place, and tells how long that took. */
export const disturb = async (scene: Scene, fault: Fault): Promise<FaultOutcome> => {
  const { stack, observer, dir, deadline } = scene;
  const component = componentOf(fault.component);
  const nothing = { detectedSeconds: null, replacedSeconds: null, recoveredSeconds: null, failure: null };
  const struck = await strike(scene, fault);
  if (!struck) return { ...fault, ...nothing, met: false, restarted: false, steps: null };
  const { met, before } = struck;
  const mayEnd = component.disk === 'runs';
  const healsAt = met.at + (mayEnd ? fullMs : fault.lastsMs);
  let detectedAt: number | null = null;
  let replacedAt: number | null = null;
  let recoveredAt: number | null = null;
  let failure: string | null = null;

  const look = async (): Promise<boolean> => {
    if (Date.now() >= healsAt) await met.heal();
    const notices = await noticesOf(stack.home, dir, component);
    if (detectedAt === null && notices !== null && notices > (before.notices ?? 0)) detectedAt = Date.now();
    if (met.needsAnother && replacedAt === null && haveGone(met) && processesOf(stack.home, component).length > 0)
      replacedAt = Date.now();
    const status = await observer.status();
    if (status === 'COMPLETED') recoveredAt = Date.now();
    if (hasEnded(status)) {
      if (!mayEnd || failure !== null || status === 'COMPLETED') return true;
      detectedAt ??= Date.now();
      failure = (await observer.failure()) ?? 'none';
      await met.heal();
      await resume(scene);
    }
    const now = await observer.stages();
    const over = now !== undefined && now.find(({ name }) => name === fault.stage)?.state !== 'running';
    const isDispensable = component.onDemand === true || (over && !isService(component));
    const isWhole = met.needsAnother ? replacedAt !== null || isDispensable : failure !== null || Date.now() >= healsAt;
    // A driver whose Ray has died may go on for a while, and is lost all the same.
    const isCarried = met.needsAnother && component.carries === fault.stage && !over;
    if (isCarried && (await attemptsOf(dir, fault.stage)).length <= before.attempts) return false;
    if (isWhole && now && isFurther(fault.stage, before.stage, now)) recoveredAt = Date.now();
    return recoveredAt !== null;
  };
  try {
    await until(Math.min(deadline, met.at + recoverMs), look);
  } finally {
    await met.heal();
  }
  return {
    ...fault,
    met: true,
    detectedSeconds: since(met.at, detectedAt),
    replacedSeconds: since(met.at, replacedAt),
    recoveredSeconds: since(met.at, recoveredAt),
    failure,
    restarted: trained.includes(fault.stage) && (await attemptsOf(dir, fault.stage)).length > before.attempts,
    steps: pace(await stepsOf(dir, fault.stage), met.at, recoveredAt ?? Date.now()),
  };
};
