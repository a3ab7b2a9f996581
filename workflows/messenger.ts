import {
  CancellationScope,
  isCancellation,
  log,
  ParentClosePolicy,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { type FailureType, isFailureType } from '../domain/errors.ts';
import type { NotificationEvent } from '../domain/notification.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { StageName } from '../domain/stage.ts';
import { failureNote, rootFailure } from './failure.ts';
import type { NotifyRunInput, notifyRun } from './notify-run.ts';
import { runAttribute } from './search-attributes.ts';
import type { StageBoard } from './stage-board.ts';

export interface MessageDetails {
  readonly stage?: StageName | undefined;
  readonly failure?: string | null | undefined;
  readonly message?: string;
}

/** Tells the world what happens to a run, where its spec says so. */
export interface Messenger {
  /** Returns at once. */
  readonly tell: (event: NotificationEvent, details?: MessageDetails) => void;
  /** Returns when everything told is on its way: a workflow that ends before would take it along. */
  readonly flush: () => Promise<void>;
}

const messageLength = 1500;

const typeOf = (failure: string | null | undefined): FailureType | null => (isFailureType(failure) ? failure : null);

/**
 * Each message is a workflow of its own that the run leaves behind, so that a receiver that is away costs the run
 * nothing. `spec` is looked at anew each time: it may change while the run is paused.
 */
export const createMessenger = (run: string, spec: () => Pick<RunSpec, 'notify' | 'host' | 'name'>): Messenger => {
  const onTheWay = new Set<Promise<unknown>>();
  let count = 0;

  const send = async (input: NotifyRunInput): Promise<void> => {
    try {
      await startChild<typeof notifyRun>('notify-run', {
        workflowId: input.notification.id,
        args: [input],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        typedSearchAttributes: [{ key: runAttribute, value: run }],
        staticSummary: `tells that ${run} is ${input.notification.event}`,
      });
    } catch (error) {
      log.warn('a notification could not be sent', { event: input.notification.event, error: String(error) });
    }
  };

  return {
    tell: (event, { stage, failure, message = '' } = {}) => {
      const { notify, host, name } = spec();
      if (!notify?.on.includes(event)) return;
      count += 1;
      const { workflowId, runId } = workflowInfo();
      const notification = {
        id: `${workflowId}/notify-${runId.slice(-8)}-${count}-${event}`,
        event,
        run,
        name,
        workflowId,
        stage: stage ?? null,
        failure: typeOf(failure),
        message: message.slice(0, messageLength),
        at: Date.now(),
      };
      // A run that is cancelled tells of it all the same.
      const sent = CancellationScope.nonCancellable(() => send({ host, spec: notify, notification }));
      onTheWay.add(sent);
      void sent.finally(() => onTheWay.delete(sent));
    },
    flush: async () => {
      while (onTheWay.size > 0) await CancellationScope.nonCancellable(() => Promise.all(onTheWay));
    },
  };
};

/** Tells how a run ended without completing, and waits until that is on its way. */
export const tellEnding = async (messenger: Messenger, board: StageBoard, error: unknown): Promise<void> => {
  const stage = board.all().find(({ state }) => state === 'running')?.name;
  if (isCancellation(error)) messenger.tell('cancelled', { stage });
  else {
    const root = rootFailure(error);
    const failure = 'type' in root && typeof root.type === 'string' ? root.type : null;
    messenger.tell('failed', { stage, failure, message: failureNote(error) });
  }
  await messenger.flush();
};
