import type { UsageLedger } from './gpu-hours.ts';
import type { UsedAttempt } from './gpu-hours-attempts.ts';
import { factsOf, type UsageFact, type UsageUnit, usageUnits } from './gpu-hours-facts.ts';

/** A change of how much is held at a time: leases with `leased`, programs with `used`. */
interface Change {
  readonly at: number;
  readonly leased: number;
  readonly used: number;
}

const changesOf = (facts: readonly UsageFact[], attempts: readonly UsedAttempt[], unit: UsageUnit): Change[] => {
  // What is written after an attempt of the work; under the lease another one may have followed.
  const released = factsOf(facts, 'lease-released');
  // A lease that is held yet counts up to what is known.
  const now = Math.max(0, ...attempts.map(({ until }) => until), ...released.map(({ at }) => at));
  const granted = new Map(
    factsOf(facts, 'lease-granted')
      .filter((lease) => lease.unit === unit)
      .map((lease) => [lease.id, lease]),
  );
  const leases = [...granted.values()].flatMap(({ id, count, at }): Change[] => {
    const end = released.findLast((candidate) => candidate.id === id && candidate.at >= at)?.at ?? Math.max(now, at);
    return [
      { at, leased: count, used: 0 },
      { at: end, leased: -count, used: 0 },
    ];
  });
  const programs = attempts
    .filter(({ started }) => started.unit === unit)
    .flatMap(({ started, until }): Change[] => [
      { at: started.at, leased: 0, used: started.count },
      { at: until, leased: 0, used: -started.count },
    ]);
  return leases.length === 0 ? [] : [...leases, ...programs].sort((a, b) => a.at - b.at);
};

/** Unit hours that were leased beyond what the run's programs held at the time; a unit without leases is left out. */
export const idleLeaseHours = (
  facts: readonly UsageFact[],
  attempts: readonly UsedAttempt[],
): UsageLedger['idleLeases'] =>
  usageUnits.flatMap((unit) => {
    const changes = changesOf(facts, attempts, unit);
    if (changes.length === 0) return [];
    let leased = 0;
    let used = 0;
    let idle = 0;
    for (const [index, change] of changes.entries()) {
      leased += change.leased;
      used += change.used;
      const next = changes[index + 1]?.at ?? change.at;
      idle += (Math.max(0, leased - used) * (next - change.at)) / 3_600_000;
    }
    return [{ unit, hours: idle }];
  });
