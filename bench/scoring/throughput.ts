import { gradeEpisode } from '../../scoring/grade-episode.ts';
import type { MathWorker } from '../../scoring/rules/math-comparison.ts';
import { episodeOf } from '../../tests/support/episodes.ts';
import type { GoldenAnswer } from '../../tests/support/golden-answers.ts';
import { questionOf, ruleOutcome } from '../../tests/support/golden-answers.ts';

const cpuSeconds = async (work: () => Promise<void>): Promise<number> => {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
};

/** Processor seconds for deciding all rows, so often repeated, after one round that warms up. */
export const secondsOfRules = async (
  rows: readonly GoldenAnswer[],
  repeats: number,
  math: MathWorker,
): Promise<number> => {
  for (const row of rows) await ruleOutcome(row, math);
  return cpuSeconds(async () => {
    for (let round = 0; round < repeats; round += 1) for (const row of rows) await ruleOutcome(row, math);
  });
};

/** Processor seconds for grading whole episodes, three calls and an answer each. */
export const secondsOfEpisodes = async (
  rows: readonly GoldenAnswer[],
  count: number,
  math: MathWorker,
): Promise<number> => {
  const episodes = Array.from({ length: count }, (_, index) => {
    const row = rows[index % rows.length];
    if (!row) throw new Error('expected rows to make episodes of, got none');
    const { kind, reference, reply } = row;
    const answer = /^<answer>(.*)<\/answer>$/s.exec(reply)?.[1] ?? null;
    const episode = episodeOf(['ok', 'ok', 'exception'], answer, {
      answerKind: kind,
      reference,
      question: questionOf(row),
    });
    return answer === null ? { ...episode, turns: episode.turns.map((turn) => ({ ...turn, text: reply })) } : episode;
  });
  return cpuSeconds(async () => {
    for (const episode of episodes) await gradeEpisode(episode, { math });
  });
};
