/**
 * What kind of answer a task wants; it says which rule compares it with the reference, and how narrowly
 * (`scoring/rules/kinds.ts`).
 */
export const answerKinds = [
  'number',
  /** A whole number of things, without any tolerance. */
  'count',
  'year',
  'choice',
  'text',
  /** Several items, in any order. */
  'list',
  /** A formula, or a number in LaTeX. */
  'math',
  /** A value or a label read from a chart, as in ChartQA. */
  'chart',
  /** Words copied from a document, as in DocVQA and InfoVQA. */
  'document',
  /** Words that are somewhere in the answer, as in OCRBench. */
  'ocr',
] as const;
export type AnswerKind = (typeof answerKinds)[number];

/** A task may leave it to the grader, which goes by the name of the task's data source. */
export const taskAnswerKinds = [...answerKinds, 'auto'] as const;
