import type { Task } from '../../domain/episode.ts';
import type { JudgeKind } from '../../domain/judge.ts';
import type { Judge } from './judge-client.ts';

/** The first that fits decides: a chart's title is read as text, but ChartQA asks for values. */
const kindsByName: readonly (readonly [RegExp, JudgeKind])[] = [
  [/chart|charxiv|dvqa|infovqa|infographic|plotqa|figureqa|table_?(?:vqa|bench)|wtq|tabfact/, 'chart'],
  [/ocr|text_?vqa|doc_?vqa|st_?vqa|transcri|handwrit/, 'ocr'],
  [/math|geo(?:qa|metry|3k)|thinklite|eureka|logicvista/, 'mathematics'],
];

/** Which prompt fits a task, by the name of its data source, then of its family; `general` where none does. */
export const judgeKindOf = ({ dataSource, family }: Pick<Task, 'dataSource' | 'family'>): JudgeKind => {
  for (const name of [dataSource, family])
    for (const [pattern, kind] of kindsByName) if (pattern.test(name.toLowerCase())) return kind;
  return 'general';
};

/** A judge that asks with the prompt that fits the task. */
export const judgeForTask =
  (judge: Judge, task: Pick<Task, 'dataSource' | 'family'>): Judge =>
  (question) =>
    judge({ kind: judgeKindOf(task), ...question });
