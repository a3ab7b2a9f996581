import type { Call, Episode, Task, Turn } from '../../domain/episode.ts';

/** A call that ran, changed by what a test is about. */
export const callOf = (changes: Partial<Call> = {}): Call => ({
  code: 'print(len(objects))',
  outcome: 'ok',
  stdout: '3\n',
  stderr: '',
  images: [],
  error: null,
  durationMs: 1,
  isolation: 'namespaces',
  ...changes,
});

/** A turn; with a call it has the reply that the call's outcome gives. */
export const turnOf = (text: string, call: Call | null = null): Turn => ({
  text,
  finishReason: 'stop',
  promptTokens: 1,
  completionTokens: 1,
  endpoint: 'local',
  startedAt: 0,
  durationMs: 1,
  call,
  reply:
    call &&
    `<tool_response>\n${call.error ? `${call.error.type}: ${call.error.message}` : call.stdout}\n</tool_response>`,
});

/** A trace of calls and then an answer. */
export const traceOf = (
  calls: readonly Partial<Call>[],
  { answer = '8', task = {}, ...rest }: Partial<Omit<Episode, 'task'>> & { task?: Partial<Task> } = {},
): Episode => ({
  version: 1,
  episodeId: 'e',
  task: {
    sampleId: 's',
    dataSource: 'vstar',
    question: 'q',
    reference: '8',
    answerKind: 'number',
    family: 'sum',
    transform: 'identity',
    ...task,
  },
  protocol: { name: 'codedance', version: 1, digest: 'p' },
  model: 'm',
  inputImages: [{ digest: 'input', width: 160, height: 100 }],
  turns: [
    ...calls.map((changes) => turnOf('<think>look</think><code>…</code>', callOf(changes))),
    turnOf(answer === null ? 'hm' : `<think>so</think><answer>${answer}</answer>`),
  ],
  ending: 'answered',
  answer,
  error: null,
  ...rest,
});
