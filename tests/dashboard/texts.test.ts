import { expect, it } from 'vitest';
import { escapeHtml } from '../../dashboard/report/html.ts';
import { judgeNote } from '../../dashboard/report/judge-note.ts';
import { duration, grouped, percent, pValue, signed } from '../../dashboard/report/numbers.ts';
import { pickExamples } from '../../dashboard/report/pick-examples.ts';
import { slicesInOrder } from '../../dashboard/report/slice-order.ts';
import type { EvaluationResult } from '../../domain/evaluation.ts';
import type { SampleEntry } from '../../evaluation/journal-entry.ts';
import { episodeOf, gradeOf } from '../support/episodes.ts';

it('what a model wrote stays text', () => {
  expect(escapeHtml('<script>alert("x")</script> & \'y\'')).toBe(
    '&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt; &amp; &#39;y&#39;',
  );
});

it('numbers are written for people', () => {
  expect([0.047, 17.08, 285, 7300].map(duration)).toEqual(['47 ms', '17 s', '4.8 min', '2.0 h']);
  expect([signed(1.25, 1), signed(-0.02, 2), signed(-0.001, 2), signed(0, 1)]).toEqual([
    '+1.3',
    '−0.02',
    '0.00',
    '0.0',
  ]);
  expect([percent(0.7222), percent(null)]).toEqual(['72.2', '–']);
  expect([pValue(0.0004), pValue(0.109375)]).toEqual(['&lt; 0.001', '0.109']);
  expect([grouped(192), grouped(76000)]).toEqual(['192', '76\u2009000']);
});

it('slices stand under their family, and a family with one transform is one row', () => {
  const slices = ['all/all', 'count/all', 'orient/all', 'count/identity', 'orient/identity', 'orient/rotate_90'].map(
    (name) => {
      const [family = '', transform = ''] = name.split('/');
      return { family, transform };
    },
  );
  expect(slicesInOrder(slices).map(({ label, inner }) => [label, inner])).toEqual([
    ['all', false],
    ['count, upright', false],
    ['orient', false],
    ['upright', true],
    ['rotated 90°', true],
  ]);
});

const evaluated = (verdicts: Record<string, number>, judgeDecided: number) => ({
  checkpoints: [],
  benchmark: [{ verdicts, judgeDecided } as EvaluationResult],
});

it('the note on the judge says what was decided, by whom, and what stayed open', () => {
  const judge = { model: 'j', served: true };
  const closed = evaluated({ correct: 6, wrong: 3 }, 0);
  expect(judgeNote({ ...closed, judge: null })).toBe('Rules decided every one of 9 answers. The run had no judge.');
  expect(judgeNote({ ...closed, judge })).toBe(
    'Rules decided every one of 9 answers. The judge j was served and decided none.',
  );
  expect(judgeNote({ ...evaluated({ correct: 6, unparsed: 2, limit: 1 }, 0), judge: null })).toBe(
    'Rules decided every one of 6 answers; 3 episodes more ended without an answer. The run had no judge.',
  );
  expect(judgeNote({ ...evaluated({ correct: 6, wrong: 3, judge_failed: 1 }, 4), judge })).toBe(
    'Rules decided 5 of 10 answers, the judge j 4; 1 stayed undecided.',
  );
});

it('examples take turns between right and wrong, with code and without, whatever the order', () => {
  const entry = (sampleId: string, right: boolean, code: boolean): SampleEntry => ({
    kind: 'sample',
    sampleId,
    attempt: 0,
    episode: episodeOf(code ? ['ok'] : [], '1', { sampleId }),
    grade: gradeOf(right ? 'correct' : 'wrong'),
  });
  const entries = [
    entry('s-10', true, true),
    entry('s-2', true, true),
    entry('s-3', true, true),
    entry('s-4', false, false),
    entry('s-5', false, true),
  ];
  const names = (from: readonly SampleEntry[], count: number): string[] =>
    pickExamples(from, count).map(({ sampleId }) => sampleId);
  expect(names(entries, 4)).toEqual(['s-2', 's-5', 's-4', 's-3']);
  expect(names(entries.toReversed(), 4)).toEqual(names(entries, 4));
  expect(names(entries, 9)).toHaveLength(5);
});
