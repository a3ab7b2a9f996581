import type { ScoreRequest, ScoreResponse } from '../domain/score.ts';
import { deciders, type Verdict, verdicts } from '../domain/verdict.ts';

const bucketsSeconds = [0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120];

export type ScoreOutcome = 'scored' | 'repeated' | 'busy' | 'conflict' | 'invalid' | 'deadline' | 'failed';

/** Counts requests for Prometheus. */
export const createScoreMetrics = () => {
  const outcomes = new Map<ScoreOutcome, number>();
  const byVerdict = new Map<Verdict, number>(verdicts.map((verdict) => [verdict, 0]));
  const byDecider = new Map<string, number>(deciders.map((decider) => [decider, 0]));
  const saidByJudge = { cached: 0, asked: 0 };
  const rewardSums = new Map<string, { count: number; sum: number }>();
  const buckets = bucketsSeconds.map(() => 0);
  let seconds = 0;
  let count = 0;
  let masked = 0;

  const timed = (elapsed: number): void => {
    bucketsSeconds.forEach((bound, index) => {
      if (elapsed <= bound) buckets[index] = (buckets[index] ?? 0) + 1;
    });
    seconds += elapsed;
    count += 1;
  };

  return {
    outcome: (outcome: ScoreOutcome): void => {
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    },
    scored: ({ reward }: Pick<ScoreRequest, 'reward'>, { groups }: ScoreResponse, elapsed: number): void => {
      timed(elapsed);
      const entry = rewardSums.get(reward) ?? { count: 0, sum: 0 };
      for (const score of groups.flat()) {
        byVerdict.set(score.grade.verdict, (byVerdict.get(score.grade.verdict) ?? 0) + 1);
        byDecider.set(score.grade.decidedBy, (byDecider.get(score.grade.decidedBy) ?? 0) + 1);
        if (score.cached !== undefined) saidByJudge[score.cached ? 'cached' : 'asked'] += 1;
        if (score.masked) masked += 1;
        else {
          entry.count += 1;
          entry.sum += score.reward;
        }
      }
      rewardSums.set(reward, entry);
    },
    /** The text format of Prometheus. */
    render: (episodesInFlight: number): string =>
      [
        '# TYPE lensmith_score_episodes_in_flight gauge',
        `lensmith_score_episodes_in_flight ${episodesInFlight}`,
        '# TYPE lensmith_score_requests_total counter',
        ...[...outcomes].map(([outcome, value]) => `lensmith_score_requests_total{outcome="${outcome}"} ${value}`),
        '# TYPE lensmith_score_verdicts_total counter',
        ...[...byVerdict].map(([verdict, value]) => `lensmith_score_verdicts_total{verdict="${verdict}"} ${value}`),
        '# TYPE lensmith_score_decided_total counter',
        ...[...byDecider].map(([by, value]) => `lensmith_score_decided_total{by="${by}"} ${value}`),
        '# TYPE lensmith_score_judge_replies_total counter',
        ...Object.entries(saidByJudge).map(
          ([from, value]) => `lensmith_score_judge_replies_total{from="${from}"} ${value}`,
        ),
        '# TYPE lensmith_score_masked_total counter',
        `lensmith_score_masked_total ${masked}`,
        '# TYPE lensmith_score_reward summary',
        ...[...rewardSums].flatMap(([reward, entry]) => [
          `lensmith_score_reward_sum{reward="${reward}"} ${entry.sum}`,
          `lensmith_score_reward_count{reward="${reward}"} ${entry.count}`,
        ]),
        '# TYPE lensmith_score_seconds histogram',
        ...bucketsSeconds.map((bound, index) => `lensmith_score_seconds_bucket{le="${bound}"} ${buckets[index] ?? 0}`),
        `lensmith_score_seconds_bucket{le="+Inf"} ${count}`,
        `lensmith_score_seconds_sum ${seconds}`,
        `lensmith_score_seconds_count ${count}`,
        '',
      ].join('\n'),
  };
};
