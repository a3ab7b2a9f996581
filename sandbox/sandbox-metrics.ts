import { type CallOutcome, callOutcomes } from '../domain/sandbox.ts';

const bucketsMs = [1, 5, 10, 25, 50, 100, 250, 500, 1000, 5000, 15_000];

/** Counts executions for Prometheus. */
export const createSandboxMetrics = () => {
  const outcomes = new Map<CallOutcome, number>(callOutcomes.map((outcome) => [outcome, 0]));
  const buckets = bucketsMs.map(() => 0);
  let sum = 0;
  let count = 0;
  return {
    record: (outcome: CallOutcome, durationMs: number): void => {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      bucketsMs.forEach((bound, index) => {
        if (durationMs <= bound) buckets[index] = (buckets[index] ?? 0) + 1;
      });
      sum += durationMs;
      count += 1;
    },
    /** The text format of Prometheus. */
    render: (sessions: number): string =>
      [
        '# TYPE lensmith_sandbox_sessions gauge',
        `lensmith_sandbox_sessions ${sessions}`,
        '# TYPE lensmith_sandbox_executions_total counter',
        ...[...outcomes].map(([outcome, value]) => `lensmith_sandbox_executions_total{outcome="${outcome}"} ${value}`),
        '# TYPE lensmith_sandbox_execution_seconds histogram',
        ...bucketsMs.map(
          (bound, index) => `lensmith_sandbox_execution_seconds_bucket{le="${bound / 1000}"} ${buckets[index] ?? 0}`,
        ),
        `lensmith_sandbox_execution_seconds_bucket{le="+Inf"} ${count}`,
        `lensmith_sandbox_execution_seconds_sum ${sum / 1000}`,
        `lensmith_sandbox_execution_seconds_count ${count}`,
        '',
      ].join('\n'),
  };
};
