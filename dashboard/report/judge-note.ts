import type { RunReport } from './report-input.ts';

type Evaluated = Pick<RunReport, 'checkpoints' | 'benchmark'>;

/** What became of the episodes in the evaluations of the report: answers decided by a rule, by the judge or by none, and episodes without an answer. */
export const verdictCounts = ({ checkpoints, benchmark }: Evaluated) => {
  const results = [...checkpoints.map(({ result }) => result), ...benchmark];
  const count = (...verdicts: readonly string[]): number =>
    results.reduce(
      (sum, result) => sum + verdicts.reduce((part, verdict) => part + (result.verdicts[verdict] ?? 0), 0),
      0,
    );
  const decided = count('correct', 'wrong');
  const undecided = count('judge_failed');
  const judged = results.reduce((sum, { judgeDecided }) => sum + judgeDecided, 0);
  return {
    answers: decided + undecided,
    byRule: decided - judged,
    judged,
    undecided,
    unanswered: count('unparsed', 'limit', 'infra_error'),
  };
};

const ofAudit: Readonly<Record<string, string>> = {
  passed: 'It passed its audit.',
  not_needed: 'No answer needed it, so it was not audited.',
  unfinished: 'Its audit could not be finished, so it decided none.',
  off: 'It was not audited, and the spec lets it decide all the same.',
};

/** How the judge stood in the evaluations; where they differ, every way. */
const auditNotes = ({ checkpoints, benchmark }: Evaluated): string[] => {
  const notes = [...checkpoints.map(({ result }) => result), ...benchmark].flatMap(({ judge }) => {
    if (!judge) return [];
    if (judge.audit !== 'failed') return [ofAudit[judge.audit] ?? judge.note];
    return [judge.decides ? 'It failed its audit and was forced to decide.' : 'It failed its audit and was refused.'];
  });
  return [...new Set(notes)];
};

/** Who decided the answers of this run, in a few sentences. */
export const judgeNote = (report: Evaluated & Pick<RunReport, 'judge'>): string => {
  const { answers, byRule, judged, undecided, unanswered } = verdictCounts(report);
  const share = [
    `Rules decided ${byRule === answers ? `every one of ${answers}` : `${byRule} of ${answers}`} answers`,
    ...(report.judge && judged > 0 ? [`the judge ${report.judge.model} ${judged}`] : []),
  ].join(', ');
  const open = [
    ...(undecided > 0 ? [`${undecided} stayed undecided`] : []),
    ...(unanswered > 0 ? [`${unanswered} episodes more ended without an answer`] : []),
  ];
  const rules = `${[share, ...open].join('; ')}.`;
  if (!report.judge) return `${rules} The run had no judge.`;
  const served = report.judge.served ? 'was served' : 'was not served in this run';
  return [
    rules,
    ...(judged > 0 ? [] : [`The judge ${report.judge.model} ${served} and decided none.`]),
    ...auditNotes(report),
  ].join(' ');
};
