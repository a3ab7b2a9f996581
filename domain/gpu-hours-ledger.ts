import {
  addHours,
  noHours,
  totalHours,
  type UsageEntry,
  type UsageHours,
  type UsageLedger,
  type UsageTotal,
  usageCategories,
} from './gpu-hours.ts';
import { type UsedAttempt, usedAttempts } from './gpu-hours-attempts.ts';
import { factsOf, type UsageFact, type UsageUnit, usageUnits } from './gpu-hours-facts.ts';
import { type Interval, intersect, secondsIn, subtract, union } from './gpu-hours-intervals.ts';
import { idleLeaseHours } from './gpu-hours-leases.ts';
import { wastedTimes } from './gpu-hours-waste.ts';

/** `limits.gpuHours`, and the unit in which it counts. */
export interface UsageLimit {
  readonly unit: UsageUnit;
  readonly hours: number;
}

const endingOf = ({ ended }: UsedAttempt): UsageEntry['ending'] => {
  if (!ended) return 'running';
  return ended.succeeded ? 'succeeded' : (ended.type ?? 'stopped');
};

const entryOf = (attempt: UsedAttempt, times: Readonly<Record<keyof UsageHours, readonly Interval[]>>): UsageEntry => {
  const { started, ended } = attempt;
  const seconds = { ...noHours };
  const hours = { ...noHours };
  for (const name of usageCategories) {
    seconds[name] = secondsIn(times[name]);
    hours[name] = (seconds[name] * started.count) / 3600;
  }
  return {
    stage: started.stage,
    attempt: started.attempt,
    unit: started.unit,
    count: started.count,
    startedAt: started.at,
    endedAt: ended ? attempt.until : null,
    ending: endingOf(attempt),
    seconds,
    hours,
  };
};

const trainerEntry = (attempt: UsedAttempt, wasted: readonly Interval[]): UsageEntry => {
  const { started, runningAt, until } = attempt;
  const begun = Math.min(until, runningAt ?? until);
  const work: Interval[] = union([[begun, until]]);
  const stalled = intersect(attempt.stalls, work);
  const worked = subtract(work, stalled);
  return entryOf(attempt, {
    starting: union([[started.at, begun]]),
    stalled,
    wasted: intersect(worked, wasted),
    productive: subtract(worked, wasted),
    idle: [],
  });
};

const serverEntry = (attempt: UsedAttempt, asked: readonly Interval[]): UsageEntry => {
  const { started, runningAt, until } = attempt;
  const ready = Math.min(until, runningAt ?? until);
  const up: Interval[] = union([[ready, until]]);
  return entryOf(attempt, {
    starting: union([[started.at, ready]]),
    stalled: [],
    wasted: [],
    productive: intersect(up, asked),
    idle: subtract(up, asked),
  });
};

/** When each server was asked; an evaluation that was cut off ends with its servers. */
const askedTimes = (facts: readonly UsageFact[]): Map<string, Interval[]> => {
  const asked = new Map<string, Interval[]>();
  const ends = factsOf(facts, 'evaluation-ended');
  for (const { id, servers, at } of factsOf(facts, 'evaluation-began')) {
    const end = ends.find((candidate) => candidate.id === id)?.at ?? Number.POSITIVE_INFINITY;
    for (const server of servers) asked.set(server, [...(asked.get(server) ?? []), [at, end]]);
  }
  return asked;
};

const totalOf = (
  unit: UsageUnit,
  entries: readonly UsageEntry[],
  idleLeases: UsageLedger['idleLeases'],
): UsageTotal[] => {
  const own = entries.filter((entry) => entry.unit === unit);
  const leased = idleLeases.find((lease) => lease.unit === unit)?.hours ?? 0;
  if (own.length === 0 && leased === 0) return [];
  const sum = own.reduce((total, { hours }) => addHours(total, hours), { ...noHours, idle: leased });
  return [{ unit, ...sum, total: totalHours(sum) }];
};

/**
 * Makes the ledger of a run from its facts. Every second of an attempt is in one category; an attempt under way counts up
 * to its last sign of life.
 */
export const usageLedger = (facts: readonly UsageFact[], limit: UsageLimit | null = null): UsageLedger => {
  const attempts = usedAttempts(facts);
  const asked = askedTimes(facts);
  const lines = Map.groupBy(attempts, ({ started: { stage, folder } }) => `${stage} ${folder ?? ''}`);
  const entries = [...lines.values()].flatMap((own) => {
    const wasted = wastedTimes(
      own,
      factsOf(facts, 'checkpoint').filter(
        ({ stage, folder }) => stage === own[0]?.started.stage && folder === own[0]?.started.folder,
      ),
    );
    return own.map((attempt) =>
      attempt.started.role === 'server'
        ? serverEntry(attempt, union(asked.get(attempt.started.stage) ?? []))
        : trainerEntry(attempt, wasted),
    );
  });
  const idleLeases = idleLeaseHours(facts, attempts);
  const totals = usageUnits.flatMap((unit) => totalOf(unit, entries, idleLeases));
  return {
    entries: entries.sort((a, b) => a.startedAt - b.startedAt),
    idleLeases,
    totals,
    budget: limit && {
      unit: limit.unit,
      limit: limit.hours,
      used: totals.find(({ unit }) => unit === limit.unit)?.total ?? 0,
      warnedAt: factsOf(facts, 'budget-warned').findLast((fact) => fact.limit >= limit.hours)?.at ?? null,
      stoppedAt: factsOf(facts, 'budget-stopped').findLast((fact) => fact.limit >= limit.hours)?.at ?? null,
    },
  };
};
