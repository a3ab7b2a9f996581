import { type LabelledAnswer, readAuditSet } from '../../scoring/judge/audit-pairs.ts';
import { judgeMessages } from '../../scoring/judge/judge-prompt.ts';
import type { ReceivedRequest, ServerFacts } from '../episodes/scripted-server.ts';
import { startJudgeServer } from './judge-server.ts';

/** The pair that a request asks about; undefined for a question that is not of the audit. */
const pairFinder = async (): Promise<(request: ReceivedRequest) => LabelledAnswer | undefined> => {
  const { pairs } = await readAuditSet();
  const byMessages = new Map(pairs.map((pair) => [JSON.stringify(judgeMessages(pair)), pair]));
  return ({ messages }) => byMessages.get(JSON.stringify(messages));
};

/**
 * A judge that knows the labels of the audit. `says` turns a pair into what it says; of a question that is not of the
 * audit it says `otherwise`.
 */
export const startOracle = async (
  says: (pair: LabelledAnswer) => string = ({ label }) => label,
  otherwise = 'correct',
  facts: string | ServerFacts = 'judge',
) => {
  const find = await pairFinder();
  return startJudgeServer((request) => {
    const pair = find(request);
    return JSON.stringify({ reason: 'as the label says', verdict: pair ? says(pair) : otherwise });
  }, facts);
};
