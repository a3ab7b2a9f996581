import type { Call, Episode, Task, Turn } from '../../domain/episode.ts';
import type { CallOutcome } from '../../domain/sandbox.ts';
import type { Grade, Verdict } from '../../domain/verdict.ts';

const call = (outcome: CallOutcome): Call => ({
  code: 'print(3+5)',
  outcome,
  stdout: '',
  stderr: '',
  images: [],
  error: null,
  durationMs: 1,
  isolation: 'namespaces',
});

const turn = (text: string, outcome: CallOutcome | null): Turn => ({
  text,
  finishReason: 'stop',
  promptTokens: 1,
  completionTokens: 1,
  endpoint: 'local',
  startedAt: 0,
  durationMs: 1,
  call: outcome ? call(outcome) : null,
  reply: outcome ? 'reply' : null,
});

/** An episode with calls that ended as given and then an answer; null as answer ends it without one. */
export const episodeOf = (
  calls: readonly CallOutcome[],
  answer: string | null,
  task: Partial<Task> = {},
  ending: Episode['ending'] = 'answered',
): Episode => ({
  version: 1,
  episodeId: 'e',
  task: {
    sampleId: 's',
    dataSource: 'd',
    question: 'q',
    reference: '8',
    answerKind: 'number',
    family: 'sum',
    transform: 'identity',
    ...task,
  },
  protocol: { name: 'miniature', version: 1, digest: 'p' },
  model: 'm',
  inputImages: [],
  turns: [
    ...calls.map((outcome) => turn('<code>…</code>', outcome)),
    turn(answer === null ? 'hm' : `<answer>${answer}</answer>`, null),
  ],
  ending,
  answer,
  error: null,
});

export const gradeOf = (verdict: Verdict): Grade => ({ verdict, decidedBy: 'rule', reason: 'given' });
