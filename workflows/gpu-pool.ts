import {
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  log,
  patched,
  setHandler,
  upsertMemo,
  workflowInfo,
} from '@temporalio/workflow';
import { z } from 'zod';
import { emptyPool, type Pool, type PoolChange, type PoolNotice } from '../domain/gpu-pool.ts';
import { checkReport, drainHost, ordersFor, removeHost, reportHost } from '../domain/gpu-pool-hosts.ts';
import { answerFor, endLease, releaseLease, renewLeases, requestLease } from '../domain/gpu-pool-leases.ts';
import { look, nextLook } from '../domain/gpu-pool-look.ts';
import { schedule } from '../domain/gpu-pool-schedule.ts';
import { leaseReleaseSchema, leaseRequestSchema, poolNameSchema } from '../domain/lease.ts';
import { hostReportSchema } from '../domain/lease-host.ts';
import { asInputFailure } from './failure.ts';
import { createAlarm } from './gpu-pool-alarm.ts';
import {
  acquireLeaseUpdate,
  drainHostUpdate,
  leaseAnswerSignal,
  poolQuery,
  releaseLeaseSignal,
  removeHostUpdate,
  renewLeasesSignal,
  reportHostUpdate,
  requestLeaseSignal,
  takeBackLeaseUpdate,
} from './gpu-pool-messages.ts';

export interface GpuPoolInput {
  /** The pool of the run before. */
  readonly pool?: Pool;
  /** What the run before had still to tell. */
  readonly notices?: readonly PoolNotice[];
  /** @default 5000, or less where the server suggests it */
  readonly maxEvents?: number;
}

/** Signals on their way at once; the server allows 2000. */
const maxOnTheWay = 200;

const parse = <T>(schema: z.ZodType<T>, input: unknown, what: string): T => {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw asInputFailure(new Error(`${what}: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'not valid'}`));
};

/** Runs something whose errors are the caller's: any other error would fail the workflow's task over and over. */
const orInputFailure = <T>(work: () => T): T => {
  try {
    return work();
  } catch (error) {
    throw asInputFailure(error);
  }
};

/**
 * Leases hosts, GPUs and ports to workflows, and hears from the hosts what they have. It holds the pool as plain data,
 * all decisions are functions of `domain/`, and it goes on as a new run before its history grows long. No handler
 * waits: a request is queued and answered by a signal once it is granted, so that nothing keeps a run from ending.
 */
export const gpuPool = async (input: GpuPoolInput = {}): Promise<void> => {
  const { maxEvents = 5000 } = input;
  let pool = input.pool ?? emptyPool(Date.now());
  let stale = true;
  let tracedAt = -1;
  const outbox: PoolNotice[] = [...(input.notices ?? [])];
  /** New requests whose holders are to hear that they wait, where they do. */
  const asked = new Set<string>();
  const alarm = createAlarm();

  /**
   * Gives this workflow task a command. One without any may be run together with the next by a worker that has just begun,
   * and then the updates of that come before what the first had brought, and apart from it when the history is played back:
   * the same messages in another order can end in other commands, which no worker could go on from.
   */
  const leaveTrace = (of: string): void => {
    // Once a task: it stays the same within one.
    const { historyLength } = workflowInfo();
    if (historyLength === tracedAt) return;
    tracedAt = historyLength;
    if (patched('a-command-in-each-task')) upsertMemo({ lastHeard: of });
  };
  leaveTrace('start');

  const apply = (change: (pool: Pool, now: number) => PoolChange): void => {
    const now = Date.now();
    const looked = look(pool, now);
    const changed = change(looked.pool, now);
    pool = changed.pool;
    outbox.push(...looked.notices, ...changed.notices);
    stale = true;
  };
  const serve = (): void => {
    apply(schedule);
    stale = false;
    for (const request of pool.queue)
      if (asked.has(request.id)) {
        const answer = answerFor(pool, request.id);
        if (answer) outbox.push({ holder: request.holder, answer });
      }
    asked.clear();
  };

  setHandler(requestLeaseSignal, (input) => {
    const parsed = leaseRequestSchema.safeParse(input);
    if (parsed.success) {
      asked.add(parsed.data.id);
      return apply((current, now) => requestLease(current, parsed.data, now));
    }
    const [issue] = parsed.error.issues;
    const reason = `the request is not valid: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`;
    const { id, holder } = input ?? {};
    if (typeof id !== 'string' || typeof holder !== 'string' || holder === '') return log.warn(reason);
    outbox.push({ holder, answer: { id, state: 'ended', ending: 'refused', reason } });
  });
  // A handler that throws would fail the workflow's task for ever: what a signal brings is looked at first.
  setHandler(releaseLeaseSignal, (input) => {
    const parsed = leaseReleaseSchema.safeParse(input);
    if (!parsed.success) return log.warn('a release is not valid', { input });
    leaveTrace('release-lease');
    apply((current, now) => releaseLease(current, parsed.data.id, parsed.data.fence, now));
  });
  setHandler(renewLeasesSignal, (input) => {
    const parsed = z.array(poolNameSchema).safeParse(input);
    if (!parsed.success) return log.warn('a renewal is not valid', { input });
    leaveTrace('renew-leases');
    apply((current, now) => ({ pool: renewLeases(current, parsed.data, now), notices: [] }));
  });

  setHandler(
    acquireLeaseUpdate,
    (input) => {
      const request = parse(leaseRequestSchema, input, 'the request');
      const before = outbox.length;
      apply((current, now) => requestLease(current, request, now));
      // A refusal is in no list, only in the notice of it.
      const refused = outbox.slice(before).find(({ answer: { id, state } }) => id === request.id && state === 'ended');
      serve();
      const answer = refused?.answer ?? answerFor(pool, request.id);
      if (!answer) throw asInputFailure(new Error(`the pool has no place for the request "${request.id}"; ask again`));
      return answer;
    },
    { validator: (input) => void parse(leaseRequestSchema, input, 'the request') },
  );
  setHandler(
    takeBackLeaseUpdate,
    ({ id }) => {
      const before = answerFor(pool, id)?.state;
      apply((current, now) => endLease(current, id, 'taken_back', 'taken back by hand', now));
      return before === 'granted' || before === 'waiting';
    },
    { validator: ({ id }) => void parse(poolNameSchema, id, 'the id') },
  );
  setHandler(
    reportHostUpdate,
    (report) => {
      apply((current, now) => reportHost(current, report, now));
      return ordersFor(pool, report.name);
    },
    {
      validator: (report) => {
        parse(hostReportSchema, report, 'the report');
        orInputFailure(() => checkReport(pool, report, Date.now()));
      },
    },
  );
  setHandler(
    drainHostUpdate,
    ({ host, draining }) => apply((current) => ({ pool: drainHost(current, host, draining), notices: [] })),
    { validator: ({ host }) => void orInputFailure(() => drainHost(pool, host, true)) },
  );
  setHandler(removeHostUpdate, ({ host }) => apply((current) => ({ pool: removeHost(current, host), notices: [] })), {
    validator: ({ host }) => void orInputFailure(() => removeHost(pool, host)),
  });
  setHandler(poolQuery, () => pool);

  const tell = async ({ holder, answer }: PoolNotice): Promise<void> => {
    try {
      await getExternalWorkflowHandle(holder).signal(leaseAnswerSignal, answer);
      leaveTrace('an answer that was delivered');
    } catch {
      leaveTrace('a holder that has ended');
      // The server knows no running workflow of this id: nobody is left to use the lease or to wait for it.
      apply((current, now) => endLease(current, answer.id, 'holder_ended', `${holder} has ended`, now));
    }
  };
  const historyIsLong = (): boolean => {
    const { continueAsNewSuggested, historyLength } = workflowInfo();
    return continueAsNewSuggested || historyLength >= maxEvents;
  };

  for (;;) {
    if (stale || alarm.takeRing()) serve();
    if (historyIsLong()) {
      // A report that is being answered ends within this task, so this wait costs nothing.
      if (patched('end-after-answers')) await condition(allHandlersFinished);
      if (allHandlersFinished()) break;
    }
    if (outbox.length > 0) {
      await Promise.all(outbox.splice(0, maxOnTheWay).map(tell));
      continue;
    }
    alarm.setFor(nextLook(pool));
    await condition(() => stale || outbox.length > 0 || alarm.hasRung());
  }
  await continueAsNew<typeof gpuPool>({ pool, notices: outbox, maxEvents });
};
