import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeSayings } from '../../domain/judge.ts';
import { parseVerdict, readReply } from '../../scoring/judge/parse-verdict.ts';

/** Replies that say nothing, two things, or the thing only for who wants to hear it. None is a verdict. */
const adversarial: readonly string[] = [
  // No object at all.
  '',
  ' \n ',
  'correct',
  'Correct.',
  'wrong',
  'incorrect',
  '1',
  '0',
  '0, not 1',
  'true',
  'yes',
  'null',
  '"correct"',
  '["correct"]',
  'verdict: correct',
  '"verdict": "correct"',
  'The answer is 0 because only 1 of 2 match.',
  'I would say that this is correct, but I am not sure.',
  'The given answer is not correct.',
  'It would be wrong to call this wrong.',
  'Judgement: 1',
  '## Equivalence Judgement\nTRUE',
  'CORRECT/INCORRECT: CORRECT',
  '<verdict>correct</verdict>',
  'As an AI model I cannot see the image.',
  'Sorry, I cannot help with that.',
  'correct correct correct correct correct',
  '✓',
  '👍',
  // An object among other text.
  'The verdict: {"verdict": "correct"}',
  '{"verdict": "correct"} I hope that helps.',
  'Sure! {"verdict": "correct", "reason": "same"}',
  '{"verdict": "wrong"} No, wait: correct.',
  '<think>It says {"verdict": "wrong"}.</think>So: {"verdict": "correct"}',
  '<think>It quotes </think>{"verdict": "correct"} to me.</think>{"verdict": "wrong"}',
  '{"verdict": "wrong"}</think>{"verdict": "correct"}',
  '<think>{"verdict": "correct"}</think>',
  '<think>I have to be careful here',
  '```json\n{"verdict": "correct"}\n``` and ```json\n{"verdict": "wrong"}\n```',
  '```json\n{"verdict": "correct"}\n```\nBut perhaps not.',
  'Here it is:\n```json\n{"verdict": "correct"}\n```',
  '{"verdict": "correct"}\n{"verdict": "wrong"}',
  '{"verdict": "correct"}{"verdict": "correct"}',
  '[{"verdict": "correct"}]',
  '[{"verdict": "correct"}, {"verdict": "wrong"}]',
  'assistant: {"verdict": "correct"}',
  '{"verdict": "correct"}<|im_end|>',
  'given: {"reason": "same object", "verdict": "correct"}',
  // Not JSON, or not all of it.
  '{"verdict": "correct"',
  '{"verdict": "correct", "reason": "the same',
  '{"verdict": "corr',
  '{verdict: "correct"}',
  "{'verdict': 'correct'}",
  '{"verdict": correct}',
  '{"verdict": "correct",}',
  '{"verdict" "correct"}',
  '{"verdict": "correct" "reason": "same"}',
  '{"verdict": "correct"} // or wrong',
  '{/* wrong */"verdict": "correct"}',
  '"{\\"verdict\\": \\"correct\\"}"',
  '{"verdict": "cor\nrect"}',
  '{“verdict”: “correct”}',
  '{"verdict": "correct"}}',
  '{{"verdict": "correct"}}',
  '{"verdict": "correct" | "wrong" | "cannot tell"}',
  // Another word than the three.
  '{"verdict": "Correct"}',
  '{"verdict": "CORRECT"}',
  '{"verdict": "correct."}',
  '{"verdict": "Correct!"}',
  '{"verdict": " correct "}',
  '{"verdict": "incorrect"}',
  '{"verdict": "not correct"}',
  '{"verdict": "not wrong"}',
  '{"verdict": "partially correct"}',
  '{"verdict": "correct or wrong"}',
  '{"verdict": "correct/wrong"}',
  '{"verdict": "unsure"}',
  '{"verdict": "right"}',
  '{"verdict": "true"}',
  '{"verdict": true}',
  '{"verdict": 1}',
  '{"verdict": "1"}',
  '{"verdict": null}',
  '{"verdict": ["correct"]}',
  '{"verdict": {"verdict": "correct"}}',
  '{"verdict": "c\u043errect"}',
  '{"verdict": "correct\u200b"}',
  '{"verdict": "корректно"}',
  '{"verdict": ""}',
  // Other members, or one twice.
  '{}',
  '{"reason": "it is correct"}',
  '{"Verdict": "correct"}',
  '{"result": "correct"}',
  '{"judgement": "correct", "reason": "same"}',
  '{"verdict": "correct", "final_verdict": "wrong"}',
  '{"verdict": "correct", "confidence": 0.1}',
  '{"verdict": "wrong", "verdict": "correct"}',
  '{"verdict": "correct", "verdict": "wrong"}',
  '{"verdict": "wrong", "reason": "other", "verdict": "correct"}',
  '{"verdict": "wrong", "\\u0076erdict": "correct"}',
  '{"reason": "wrong object", "verdict": "correct", "reason": "same object"}',
  '{"verdict": "correct", "reason": ["wrong"]}',
  '{"verdict": "correct", "reason": null}',
  '{"__proto__": {"verdict": "correct"}}',
  '{"verdict": "correct", "__proto__": {}}',
  // A reason that says the other thing.
  '{"verdict": "correct", "reason": "Wrong, it names another animal."}',
  '{"verdict": "correct", "reason": "incorrect"}',
  '{"verdict": "correct", "reason": "Not correct: a dog is no cat."}',
  '{"verdict": "correct", "reason": "No, it is another colour."}',
  '{"verdict": "wrong", "reason": "Correct, both name a cat."}',
  '{"verdict": "wrong", "reason": "Yes, they agree."}',
  '{"reason": "The verdict is wrong.", "verdict": "correct"}',
  '{"reason": "so the verdict should be: wrong", "verdict": "correct"}',
  '{"reason": "The text says \\"verdict\\": \\"correct\\", as asked.", "verdict": "wrong"}',
  '{"reason": "verdict = incorrect", "verdict": "correct"}',
  '{"reason": "Verdict: correct", "verdict": "cannot tell"}',
];

describe('adversarial replies', () => {
  it('are at least a hundred, each another one', () => {
    expect(new Set(adversarial).size).toBeGreaterThanOrEqual(100);
    expect(new Set(adversarial).size).toBe(adversarial.length);
  });

  it.each(adversarial.map((reply) => [reply]))('%j is no verdict', (reply) => {
    expect(readReply(reply)).toMatchObject({ kind: 'unreadable' });
    expect(parseVerdict(reply)).toMatchObject({ verdict: 'judge_failed', decidedBy: 'none' });
  });
});

describe('replies that are verdicts', () => {
  it.each([
    ['{"verdict": "correct"}', 'correct'],
    ['{"reason": "both name a cat", "verdict": "correct"}', 'correct'],
    ['{"reason": "another animal", "verdict": "wrong"}', 'wrong'],
    ['  {"verdict":"wrong","reason":""}\n', 'wrong'],
    ['```json\n{"verdict": "correct", "reason": "same"}\n```', 'correct'],
    ['```\n{"verdict": "wrong"}\n```', 'wrong'],
    ['<think>\n\n</think>\n\n{"verdict": "correct"}', 'correct'],
    ['<think>It says {"verdict": "wrong"}.</think>{"verdict": "correct"}', 'correct'],
    ['Both name a cat.\n</think>\n\n```json\n{"verdict": "correct"}\n```', 'correct'],
    ['{"reason": "it ends in </think>", "verdict": "wrong"}', 'wrong'],
    ['{"reason": "Correct answer is a cat, the given one names a dog.", "verdict": "wrong"}', 'wrong'],
    ['{"reason": "Wrong spelling, but the same name.", "verdict": "correct"}', 'correct'],
    ['{"reason": "no difference in meaning", "verdict": "correct"}', 'correct'],
    ['{"reason": "The given answer is not correct.", "verdict": "wrong"}', 'wrong'],
    ['{"reason": "It says \\"correct\\": the same word.", "verdict": "correct"}', 'correct'],
    ['{"reason": "a brace } and a colon: in it", "verdict": "wrong"}', 'wrong'],
    ['{"verdict": "correct", "reason": "Nothing contradicts it."}', 'correct'],
    ['{"reason": "The jury\'s verdict is what both describe.", "verdict": "correct"}', 'correct'],
  ])('%j says %s', (reply, verdict) => {
    expect(parseVerdict(reply)).toMatchObject({ verdict, decidedBy: 'judge' });
  });

  it('whatever the reason is, the verdict is the one that is written, or none', () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...judgeSayings), fc.boolean(), (reason, verdict, first) => {
        const reply = JSON.stringify(first ? { verdict, reason } : { reason, verdict });
        const read = readReply(reply);
        if (read.kind === 'verdict') expect(read.verdict).toBe(verdict);
        else expect(read.reason).toContain('contradicts');
      }),
    );
  });

  it('a verdict that stands inside any other text is none', () => {
    const verdict = fc.constantFrom(...judgeSayings.map((said) => JSON.stringify({ verdict: said })));
    const text = fc.string({ minLength: 1 }).filter((part) => part.trim() !== '');
    fc.assert(
      fc.property(text, verdict, text, (before, object, after) => {
        expect(readReply(`${before}${object}`).kind).toBe('unreadable');
        expect(readReply(`${object}${after}`).kind).toBe('unreadable');
      }),
    );
  });
});
