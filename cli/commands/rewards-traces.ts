import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { z } from 'zod';
import { lensmithHome } from '../../activities/host.ts';
import { type Episode, episodeSchema } from '../../domain/episode.ts';
import { LensmithError } from '../../domain/errors.ts';
import { rolloutLineSchema } from '../../domain/rollout.ts';
import { type Grade, gradeSchema } from '../../domain/verdict.ts';
import { gradeEpisode } from '../../scoring/grade-episode.ts';
import type { RecordedGroup } from '../../scoring/lab/replay.ts';
import type { GradedEpisode } from '../../scoring/rewards/reward.ts';

const unpack = promisify(gunzip);

const linesOf = async (file: string): Promise<string[]> => {
  try {
    const bytes = await readFile(file);
    const text = (file.endsWith('.gz') ? await unpack(bytes) : bytes).toString('utf8');
    // A file with one trace may be set over many lines.
    return text.trimStart().startsWith('[') || !file.includes('.jsonl')
      ? [text]
      : text.split('\n').filter((line) => line !== '');
  } catch (cause) {
    throw new LensmithError('config', `expected a readable file of traces: ${String(cause)}`, { where: file, cause });
  }
};

const gradedSchema = z.object({ episode: episodeSchema, grade: gradeSchema });

/** An episode as it was recorded. */
export interface Trace {
  readonly episode: Episode;
  readonly grade: Grade | undefined;
  readonly locations: GradedEpisode['locations'];
  readonly step: number;
  /** Traces with the same key were rolled out together; null for one that stands alone. */
  readonly group: string | null;
  /** Whether it is an entry of a journal, whose last entry about an episode counts. */
  readonly journal?: boolean;
}

const traceOf = (value: unknown, where: string): Trace[] => {
  if (Array.isArray(value))
    return value.flatMap((entry) => traceOf(entry, where)).map((trace) => ({ ...trace, group: 'one' }));
  const rollout = rolloutLineSchema.safeParse(value);
  if (rollout.success) {
    const { step, group, episode, score } = rollout.data;
    return [{ episode, grade: score.grade, locations: score.locations, step, group: `${step}/${group}` }];
  }
  const isEntry = typeof value === 'object' && value !== null && 'entry' in value;
  const inner = isEntry ? value.entry : value;
  if (typeof inner === 'object' && inner !== null && 'kind' in inner && inner.kind === 'header') return [];
  const graded = gradedSchema.safeParse(inner);
  if (graded.success) return [{ ...graded.data, locations: undefined, step: 0, group: null, journal: isEntry }];
  const episode = episodeSchema.safeParse(inner);
  if (episode.success) return [{ episode: episode.data, grade: undefined, locations: undefined, step: 0, group: null }];
  const shown = typeof inner === 'object' && inner !== null && 'episode' in inner ? rollout.error : episode.error;
  throw new LensmithError(
    'data',
    `expected an episode, a group of them, a rollout or a journal's entry:\n${z.prettifyError(shown)}`,
    { where },
  );
};

/**
 * The traces of a file: an episode or an array of them as JSON, the lines of a rollout file or of a journal.
 *
 * @throws LensmithError `config` where it cannot be read, `data` where a line is no trace.
 */
export const readTraces = async (file: string): Promise<Trace[]> => {
  const lines = await linesOf(file);
  const traces = lines.flatMap((line, index) => {
    const where = lines.length === 1 ? file : `${file}:${index + 1}`;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch (cause) {
      // A line that a crash has torn says nothing; the last one may be.
      if (index > 0 && index === lines.length - 1) return [];
      throw new LensmithError('data', `expected JSON: ${String(cause)}`, { where, cause });
    }
    return traceOf(value, where);
  });
  const last = new Map(traces.map((trace) => [trace.episode.episodeId, trace]));
  return traces.filter((trace) => !trace.journal || last.get(trace.episode.episodeId) === trace);
};

/** A trace with its verdict: the recorded one, else by the rules. */
export const graded = async ({ episode, grade, locations }: Trace): Promise<GradedEpisode> => ({
  episode,
  grade: grade ?? (await gradeEpisode(episode)),
  locations,
});

const isFolder = async (path: string): Promise<boolean> =>
  (await stat(path).catch(() => undefined))?.isDirectory() ?? false;

const namesIn = async (folder: string, matches: (name: string) => boolean): Promise<string[]> =>
  (await readdir(folder).catch(() => []))
    .filter(matches)
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));

/** The folder of a run, by its path or its id. */
export const runFolder = async (run: string): Promise<string> => {
  for (const path of [run, join(lensmithHome(), 'runs', run)]) if (await isFolder(path)) return path;
  throw new LensmithError('config', `expected the id or the folder of a run, got "${run}"`, { where: 'RUN' });
};

const rolloutFiles = async (folder: string): Promise<string[]> => {
  for (const place of [join(folder, 'stages', 'rl', 'rollouts'), folder]) {
    const names = await namesIn(place, (name) => /^step-\d+\.jsonl(?:\.gz)?$/.test(name));
    if (names.length > 0) return names.map((name) => join(place, name));
  }
  return [];
};

const evaluationFiles = async (folder: string): Promise<string[]> => {
  const root = join(folder, 'evaluations');
  const journals = (await namesIn(root, () => true)).map((name) => join(root, name, 'journal.jsonl'));
  // An evaluation that has only begun has none yet.
  const written = await Promise.all(journals.map(async (file) => (await stat(file).catch(() => undefined))?.isFile()));
  return journals.filter((_, index) => written[index]);
};

/** Files of the recording, at most `limit` of them, evenly over its length. */
const spread = <Item>(items: readonly Item[], limit: number): Item[] =>
  items.length <= limit
    ? [...items]
    : Array.from({ length: limit }, (_, index) => items[Math.floor((index * items.length) / limit)]).filter(
        (item) => item !== undefined,
      );

/**
 * The groups that RL rolled out, or, from the evaluations, the episodes of all evaluated models about the same sample,
 * which share a task as a group does.
 *
 * @param steps - At most so many steps, spread over the run.
 * @throws LensmithError `data` where there is nothing recorded.
 */
export const readGroups = async (
  folder: string,
  { from, steps }: { from: 'rollouts' | 'evaluations'; steps: number },
): Promise<RecordedGroup[]> => {
  const files = from === 'rollouts' ? spread(await rolloutFiles(folder), steps) : await evaluationFiles(folder);
  if (files.length === 0)
    throw new LensmithError(
      'data',
      from === 'rollouts'
        ? `expected rollouts under ${folder}, found none; RL records them from its next step on. "--from evaluations" takes the journals`
        : `expected evaluations under ${folder}, found none`,
      { where: folder },
    );
  const groups = new Map<string, { step: number; members: GradedEpisode[] }>();
  for (const file of files)
    for (const trace of await readTraces(file)) {
      const { task } = trace.episode;
      const key = trace.group ?? `${task.sampleId} ${task.question}`;
      const group = groups.get(key) ?? { step: trace.step, members: [] };
      group.members.push(await graded(trace));
      groups.set(key, group);
    }
  return [...groups.values()].filter(({ members }) => members.length > 1);
};
