import { setCurrentDetails } from '@temporalio/workflow';
import type { Progress } from '../domain/progress.ts';
import { type HoldStatus, type StageName, type StageStatus, stageNames } from '../domain/stage.ts';
import type { StageState } from '../domain/summary.ts';
import { failureNote } from './failure.ts';
import { progressLine } from './progress-line.ts';

const marks: Record<StageState, string> = {
  pending: '·',
  running: '▶',
  cached: '✓',
  completed: '✓',
  failed: '✗',
  cancelled: '✗',
  skipped: '–',
};

/** What the workflow knows of its stages: answers the queries and writes the workflow's current details. */
export interface StageBoard {
  readonly all: () => readonly StageStatus[];
  readonly begin: (name: StageName) => void;
  readonly progress: (name: StageName, progress: Progress, attempt: number) => void;
  /** Says that one of several pieces of a running stage is done, whose progress is shown no longer. */
  readonly note: (name: StageName, note: string) => void;
  /** Says why a stage is tried again. */
  readonly retried: (name: StageName, note: string) => void;
  readonly end: (name: StageName, state: StageState, options?: { attempts?: number; note?: string }) => void;
  readonly hold: () => HoldStatus | null;
  readonly setHold: (hold: HoldStatus | null) => void;
  /** The run has come to rest: what ran will run again, and what was done before will only be looked up. */
  readonly rest: () => void;
  readonly fail: (error: unknown, state: 'failed' | 'cancelled') => void;
}

export const createStageBoard = (title: string): StageBoard => {
  const stages = new Map<StageName, StageStatus>(
    stageNames.map((name) => [
      name,
      { name, state: 'pending', attempts: 0, startedAt: null, endedAt: null, progress: null, note: '' },
    ]),
  );

  /** Stages that this workflow has done: after a pause they come out of the cache, but are no less done here. */
  const done = new Map<StageName, StageStatus>();
  let held: HoldStatus | null = null;

  const publish = (): void => {
    const lines = [...stages.values()].map(({ name, state, progress, note }) => {
      const text = state === 'running' ? progressLine(name, progress) : name;
      return `- ${marks[state]} ${text}${state === 'cached' ? ' (cached)' : ''}${note ? ` — ${note}` : ''}`;
    });
    const state = held ? [`**${held.state}** — ${held.note}`, ''] : [];
    setCurrentDetails([`**${title}**`, '', ...state, ...lines].join('\n'));
  };

  const change = (name: StageName, values: Partial<StageStatus>): void => {
    const current = stages.get(name);
    if (!current) return;
    stages.set(name, { ...current, ...values });
    publish();
  };

  return {
    all: () => [...stages.values()],
    begin: (name) => change(name, { state: 'running', startedAt: Date.now() }),
    progress: (name, progress, attempt) => {
      if (stages.get(name)?.state === 'running') change(name, { progress, attempts: attempt });
    },
    note: (name, note) => change(name, { progress: null, note }),
    retried: (name, note) => change(name, { note }),
    end: (name, state, { attempts, note } = {}) => {
      const before = state === 'cached' || state === 'skipped' ? done.get(name) : undefined;
      change(name, {
        state,
        endedAt: Date.now(),
        ...(attempts === undefined ? {} : { attempts }),
        ...(note === undefined ? {} : { note }),
        ...before,
      });
    },
    hold: () => held,
    setHold: (hold) => {
      held = hold;
      publish();
    },
    rest: () => {
      for (const status of stages.values()) {
        if (status.state === 'completed') done.set(status.name, status);
        if (status.state === 'running') change(status.name, { state: 'pending', startedAt: null });
      }
    },
    fail: (error, state) => {
      for (const { name, state: current } of stages.values())
        if (current === 'running') change(name, { state, endedAt: Date.now(), note: failureNote(error) });
    },
  };
};
