import { expect, it } from 'vitest';
import { judgeNote } from '../../dashboard/report/judge-note.ts';
import type { EvaluationResult } from '../../domain/evaluation.ts';
import type { JudgeStanding } from '../../domain/judge.ts';

const standing = (audit: JudgeStanding['audit'], decides: boolean): JudgeStanding => ({
  id: 'j@1',
  prompts: 'prompts-1',
  policy: 'required',
  audit,
  decides,
  note: '',
});

const noteOf = (verdicts: Record<string, number>, judgeDecided: number, ...standings: readonly JudgeStanding[]) =>
  judgeNote({
    checkpoints: [],
    benchmark: standings.map((judge, index) =>
      index === 0
        ? ({ verdicts, judgeDecided, judge } as EvaluationResult)
        : ({ verdicts: {}, judgeDecided: 0, judge } as unknown as EvaluationResult),
    ),
    judge: { model: 'j', served: true },
  });

it.each<[string, Record<string, number>, number, JudgeStanding, string]>([
  [
    'passed',
    { correct: 6, wrong: 3 },
    4,
    standing('passed', true),
    'Rules decided 5 of 9 answers, the judge j 4. It passed its audit.',
  ],
  [
    'forced',
    { correct: 9 },
    1,
    standing('failed', true),
    'Rules decided 8 of 9 answers, the judge j 1. It failed its audit and was forced to decide.',
  ],
  [
    'refused',
    { correct: 8, judge_failed: 1 },
    0,
    standing('failed', false),
    'Rules decided 8 of 9 answers; 1 stayed undecided. The judge j was served and decided none. It failed its audit and was refused.',
  ],
  [
    'not needed',
    { correct: 9 },
    0,
    standing('not_needed', false),
    'Rules decided every one of 9 answers. The judge j was served and decided none. No answer needed it, so it was not audited.',
  ],
  [
    'off',
    { correct: 9 },
    2,
    standing('off', true),
    'Rules decided 7 of 9 answers, the judge j 2. It was not audited, and the spec lets it decide all the same.',
  ],
])('a report says of its judge that it was %s', (_, verdicts, judged, how, note) => {
  expect(noteOf(verdicts, judged, how)).toBe(note);
});

it('says every way in which it stood, once each', () => {
  const note = noteOf(
    { correct: 9 },
    1,
    standing('passed', true),
    standing('not_needed', false),
    standing('passed', true),
  );
  expect(note).toBe(
    'Rules decided 8 of 9 answers, the judge j 1. It passed its audit. No answer needed it, so it was not audited.',
  );
});
