import { setTimeout as delay } from 'node:timers/promises';
import {
  type Client,
  defaultPayloadConverter,
  QueryNotRegisteredError,
  type WorkflowHandle,
  WorkflowNotFoundError,
} from '@temporalio/client';
import { z } from 'zod';
import { type Progress, progressSchema } from '../domain/progress.ts';
import type { PipelineProgress, StageStatus } from '../domain/stage.ts';
import { progressLine } from '../workflows/progress-line.ts';
import { heldByTemporalNote, isHeldByTemporal, isUnderWay } from './run-client.ts';

const pollMs = 1000;
const quietMs = 10_000;

const heartbeatSchema = z.looseObject({ stage: z.string(), attempt: z.int() });

interface LiveProgress {
  readonly progress: Progress;
  readonly attempt: number;
}

/** Heartbeats are fresher than what the workflow was told. */
const liveProgress = async (client: Client, workflowId: string): Promise<Map<string, LiveProgress>> => {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  const live = new Map<string, LiveProgress>();
  for (const activity of raw.pendingActivities ?? []) {
    const payload = activity.heartbeatDetails?.payloads?.[0];
    if (!payload) continue;
    const details: unknown = defaultPayloadConverter.fromPayload(payload);
    const head = heartbeatSchema.safeParse(details);
    if (!head.success) continue;
    const { stage, attempt, ...rest } = head.data;
    const progress = progressSchema.safeParse(rest);
    if (progress.success) live.set(stage, { progress: progress.data, attempt });
  }
  return live;
};

const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.round(seconds)} s` : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;

/** Time that a stage still needs at the pace it has had since it was first seen at a step. */
const createPace = () => {
  const first = new Map<string, { step: number; at: number }>();
  return (key: string, { step, total, at }: Progress): string => {
    const start = first.get(key);
    if (!start || step < start.step) first.set(key, { step, at });
    if (!start || step <= start.step) return '';
    const secondsAStep = (at - start.at) / 1000 / (step - start.step);
    return ` · ${duration(secondsAStep * (total - step))} left`;
  };
};

/** The stages of a workflow; null where it shows none: its input was refused, or it has not looked at it yet. */
const readProgress = async (handle: WorkflowHandle): Promise<PipelineProgress | null> => {
  try {
    return await handle.query<PipelineProgress>('progress');
  } catch (error) {
    if (error instanceof QueryNotRegisteredError) return null;
    throw error;
  }
};

const stamp = (): string => new Date().toTimeString().slice(0, 8);

const endLine = (stage: StageStatus): string => {
  const seconds = stage.startedAt !== null && stage.endedAt !== null ? (stage.endedAt - stage.startedAt) / 1000 : 0;
  const attempts = stage.attempts > 1 ? `, attempt ${stage.attempts}` : '';
  const took = stage.state === 'completed' || stage.state === 'failed' ? ` in ${duration(seconds)}${attempts}` : '';
  return `${stage.name}: ${stage.state}${took}${stage.note ? ` — ${stage.note}` : ''}`;
};

/**
 * Prints what a run does until it ends: a line at each change of a stage, and the progress of what runs. A Temporal
 * server that is away for a while is waited for.
 *
 * Returns when the workflow has ended, or `signal` aborts.
 */
export const followRun = async (
  client: Client,
  workflowId: string,
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> => {
  const handle = client.workflow.getHandle(workflowId);
  const shown = new Map<string, string>();
  const lastLine = new Map<string, { text: string; at: number }>();
  const pace = createPace();
  let shownHold = '';
  let asked = 'Temporal';

  const showHold = (hold: string): void => {
    if (hold !== shownHold) write(`${stamp()} ${hold === '' ? 'goes on' : hold}`);
    shownHold = hold;
  };

  const show = async (): Promise<boolean> => {
    asked = 'Temporal';
    const description = await handle.describe();
    if (isHeldByTemporal(description)) {
      showHold(heldByTemporalNote(workflowId));
      return true;
    }
    const running = isUnderWay(description);
    asked = 'the control worker';
    const pipeline = await readProgress(handle);
    if (!pipeline) return running;
    const { stages, hold, run } = pipeline;
    const wayOn = hold?.state === 'paused' ? `; lensmith resume ${run} goes on` : '';
    showHold(running && hold ? `${hold.state} — ${hold.note}${wayOn}` : '');
    asked = 'Temporal';
    const live = running ? await liveProgress(client, workflowId) : new Map<string, LiveProgress>();
    for (const stage of stages) {
      const mark = `${stage.state}|${stage.note}`;
      if (stage.state === 'running') {
        if (shown.get(stage.name) === undefined) write(`${stamp()} ${stage.name}: running`);
        else if (shown.get(stage.name) !== mark && stage.note) write(`${stamp()} ${stage.name}: ${stage.note}`);
        const fresh = live.get(stage.name);
        const progress = fresh?.progress ?? stage.progress;
        const attempt = fresh?.attempt ?? stage.attempts;
        if (progress && progress.total > 0) {
          const text = `${progressLine(stage.name, progress)}${attempt > 1 ? ` · attempt ${attempt}` : ''}`;
          const last = lastLine.get(stage.name);
          if (last?.text !== text && Date.now() - (last?.at ?? 0) > quietMs) {
            write(`${stamp()} ${text}${pace(`${stage.name}/${attempt}`, progress)}`);
            lastLine.set(stage.name, { text, at: Date.now() });
          }
        }
      } else if (stage.state !== 'pending' && shown.get(stage.name) !== mark) write(`${stamp()} ${endLine(stage)}`);
      shown.set(stage.name, mark);
    }
    return running;
  };

  let away = '';
  while (!signal.aborted) {
    try {
      if (!(await client.withAbortSignal(signal, show))) return;
      if (away !== '') write(`${stamp()} ${away} answers again`);
      away = '';
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof WorkflowNotFoundError) throw error;
      if (away !== asked)
        write(
          `${stamp()} ${asked} does not answer; the run goes on without this view (${String(error).slice(0, 120)})`,
        );
      away = asked;
    }
    await delay(pollMs, undefined, { signal }).catch(() => undefined);
  }
};
