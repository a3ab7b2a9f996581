import { Field, Float64, Int32, Schema, TimestampMillisecond, Utf8 } from 'apache-arrow';
import type { SampleEntry } from '../journal-entry.ts';
import { sampleOutcome } from '../sample-outcome.ts';

const text = (name: string, nullable = false): Field => new Field(name, new Utf8(), nullable);
const count = (name: string, nullable = false): Field => new Field(name, new Int32(), nullable);

/** One row an episode. Times are model time and tool time, milliseconds. */
export const resultSchema = new Schema([
  text('sample_id'),
  count('attempt'),
  count('row', true),
  ...['data_source', 'family', 'transform', 'question', 'reference'].map((name) => text(name)),
  text('answer', true),
  ...['ending', 'verdict', 'decided_by', 'reason'].map((name) => text(name)),
  ...['turns', 'calls', 'succeeded_calls', 'prompt_tokens', 'completion_tokens'].map((name) => count(name)),
  new Field('model_ms', new Float64(), false),
  new Field('tool_ms', new Float64(), false),
  new Field('started_at', new TimestampMillisecond('UTC'), true),
  text('endpoint', true),
  text('model'),
  text('protocol'),
  text('error_type', true),
  text('error', true),
]);

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** The row of an episode in `resultSchema`. */
export const resultRows = ({ sampleId, attempt, row, episode, grade }: SampleEntry): Record<string, unknown>[] => {
  const { task, turns, protocol, error } = episode;
  const { calls, succeededCalls } = sampleOutcome(episode, grade);
  return [
    {
      sample_id: sampleId,
      attempt,
      row: row ?? null,
      data_source: task.dataSource,
      family: task.family,
      transform: task.transform,
      question: task.question,
      reference: task.reference,
      answer: episode.answer,
      ending: episode.ending,
      verdict: grade.verdict,
      decided_by: grade.decidedBy,
      reason: grade.reason,
      turns: turns.length,
      calls,
      succeeded_calls: succeededCalls,
      prompt_tokens: sum(turns.map(({ promptTokens }) => promptTokens)),
      completion_tokens: sum(turns.map(({ completionTokens }) => completionTokens)),
      model_ms: sum(turns.map(({ durationMs }) => durationMs)),
      tool_ms: sum(turns.map(({ call }) => call?.durationMs ?? 0)),
      started_at: turns[0]?.startedAt ?? null,
      endpoint: turns[0]?.endpoint ?? null,
      model: episode.model,
      protocol: `${protocol.name} ${protocol.version}`,
      error_type: error?.type ?? null,
      error: error?.message ?? null,
    },
  ];
};
