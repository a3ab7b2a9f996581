import { Field, Float64, Int32, List, Schema, TimestampMillisecond, Utf8 } from 'apache-arrow';
import type { SampleEntry } from '../journal-entry.ts';

const text = (name: string, nullable = false): Field => new Field(name, new Utf8(), nullable);
const count = (name: string): Field => new Field(name, new Int32(), false);

/** One row a turn; the columns from `code` to `images` are null where the turn led to no call. */
export const traceSchema = new Schema([
  text('sample_id'),
  count('attempt'),
  count('turn'),
  text('text'),
  text('finish_reason'),
  count('prompt_tokens'),
  count('completion_tokens'),
  text('endpoint'),
  new Field('started_at', new TimestampMillisecond('UTC'), false),
  new Field('model_ms', new Float64(), false),
  ...['code', 'outcome', 'stdout', 'stderr', 'error_type', 'error', 'isolation'].map((name) => text(name, true)),
  new Field('tool_ms', new Float64(), true),
  new Field('images', new List(new Field('item', new Utf8(), false)), true),
  text('reply', true),
]);

/** The rows of an episode in `traceSchema`; images by their SHA-256. */
export const traceRows = ({ sampleId, attempt, episode }: SampleEntry): Record<string, unknown>[] =>
  episode.turns.map((turn, index) => ({
    sample_id: sampleId,
    attempt,
    turn: index,
    text: turn.text,
    finish_reason: turn.finishReason,
    prompt_tokens: turn.promptTokens,
    completion_tokens: turn.completionTokens,
    endpoint: turn.endpoint,
    started_at: turn.startedAt,
    model_ms: turn.durationMs,
    code: turn.call?.code ?? null,
    outcome: turn.call?.outcome ?? null,
    stdout: turn.call?.stdout ?? null,
    stderr: turn.call?.stderr ?? null,
    error_type: turn.call?.error?.type ?? null,
    error: turn.call?.error?.message ?? null,
    isolation: turn.call?.isolation ?? null,
    tool_ms: turn.call?.durationMs ?? null,
    images: turn.call?.images.map(({ digest }) => digest) ?? null,
    reply: turn.reply,
  }));
