import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import type { MetricsLine } from '../../domain/progress.ts';
import type { StageMetrics } from './report-input.ts';

const parse = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/**
 * Reads a `metrics.jsonl`, in the order of the steps; of a step that stands twice the last line counts. A line that
 * does not fit is left out and counted, because a finished run must get its report. A missing file has no lines.
 */
export const readMetrics = async <Line extends MetricsLine>(
  file: string,
  schema: z.ZodType<Line>,
): Promise<StageMetrics<Line>> => {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const written = text.split('\n').filter((line) => line.trim() !== '');
  const read = written.flatMap((line) => {
    const parsed = schema.safeParse(parse(line));
    return parsed.success ? [parsed.data] : [];
  });
  const bySteps = new Map(read.map((line) => [line.step, line]));
  return {
    file,
    lines: [...bySteps.values()].sort((a, b) => a.step - b.step),
    unreadable: written.length - read.length,
  };
};
