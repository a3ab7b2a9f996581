import { type FactOf, factsOf, type UsageFact } from './gpu-hours-facts.ts';
import type { Interval } from './gpu-hours-intervals.ts';

/** One attempt as its facts tell it; times are Unix times in milliseconds. */
export interface UsedAttempt {
  readonly started: FactOf<'attempt-started'>;
  /** Null where it never got to work. */
  readonly runningAt: number | null;
  readonly ended: FactOf<'attempt-ended'> | null;
  /** Its end, or the last sign of its life. */
  readonly until: number;
  readonly stalls: readonly Interval[];
}

const keyOf = ({ stage, attempt }: { readonly stage: string; readonly attempt: number }): string =>
  `${stage}/${attempt}`;

/** The latest word about each quiet time. */
const stallsOf = (facts: readonly FactOf<'attempt-stalled'>[]): Interval[] => [
  ...new Map(facts.map(({ from, to }): [number, Interval] => [from, [from, to]])).values(),
];

const lastSign = (own: readonly UsageFact[], started: number): number =>
  Math.max(
    started,
    ...own.map((fact) => {
      if (fact.kind === 'attempt-stalled') return fact.to;
      return fact.kind === 'attempt-seen' || fact.kind === 'attempt-running' ? fact.at : 0;
    }),
  );

/** The attempts of a run in the order of their starts. Of a line that was written twice the first one counts. */
export const usedAttempts = (facts: readonly UsageFact[]): UsedAttempt[] => {
  const groups = new Map<string, UsageFact[]>();
  for (const fact of facts) {
    if (!('stage' in fact) || !('attempt' in fact)) continue;
    const key = keyOf(fact);
    groups.set(key, [...(groups.get(key) ?? []), fact]);
  }
  return [...groups.values()]
    .flatMap((own): UsedAttempt[] => {
      const [started] = factsOf(own, 'attempt-started');
      if (!started) return [];
      const ended = factsOf(own, 'attempt-ended')[0] ?? null;
      return [
        {
          started,
          runningAt: factsOf(own, 'attempt-running')[0]?.at ?? null,
          ended,
          until: Math.max(started.at, ended ? ended.at : lastSign(own, started.at)),
          stalls: stallsOf(factsOf(own, 'attempt-stalled')),
        },
      ];
    })
    .sort((a, b) => a.started.at - b.started.at);
};
