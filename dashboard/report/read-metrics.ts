import { readFile } from 'node:fs/promises';
import type { z } from 'zod';
import type { metricsLineSchema } from '../../domain/progress.ts';

/**
 * The lines of a `metrics.jsonl` in the order of their steps. Of a step that was done again after a resume the last
 * line counts; a line that is torn or does not fit is left out. No file gives no lines.
 */
export const readMetrics = async <Schema extends typeof metricsLineSchema>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema>[]> => {
  const text = await readFile(path, 'utf8').catch(() => '');
  const bySteps = new Map<number, z.output<Schema>>();
  for (const line of text.split('\n')) {
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      continue;
    }
    const parsed = schema.safeParse(value);
    if (parsed.success) bySteps.set(parsed.data.step, parsed.data);
  }
  return [...bySteps.entries()].sort(([a], [b]) => a - b).map(([, line]) => line);
};
