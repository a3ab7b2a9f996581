import type { JudgeAuditPolicy } from '../domain/judge.ts';

/** How the judge stands in a result's fingerprint: results under other judges, or without an audit, do not compare. */
export const judgedScoring = (scoring: string, id: string, policy: JudgeAuditPolicy): string =>
  `${scoring} judge ${id}${policy === 'required' ? '' : `, audit ${policy}`}`;
