import type { RunReport } from './report-input.ts';

/** Verdicts of the run, and how many of them the judge decided. */
export const judgeCounts = ({ checkpoints, benchmark }: Pick<RunReport, 'checkpoints' | 'benchmark'>) => {
  const results = [...checkpoints.map(({ result }) => result), ...benchmark];
  const all = results.flatMap(({ verdicts }) => Object.values(verdicts)).reduce((sum, count) => sum + count, 0);
  return { all, decided: results.reduce((sum, { judgeDecided }) => sum + judgeDecided, 0) };
};

/** Who decided the answers of this run, in a sentence. */
export const judgeNote = (report: Pick<RunReport, 'checkpoints' | 'benchmark' | 'judge'>): string => {
  const { all, decided } = judgeCounts(report);
  if (!report.judge) return `Rules decided every one of ${all} answers; the run had no judge.`;
  const { model, served } = report.judge;
  const deployed = served ? 'was served in this run' : 'was not needed in this run';
  return decided === 0
    ? `Rules decided every one of ${all} answers. The judge ${model} ${deployed} and decided none.`
    : `The judge ${model} decided ${decided} of ${all} answers, rules the others.`;
};
