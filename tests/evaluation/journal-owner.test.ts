import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openJournal } from '../../evaluation/journal.ts';
import type { JournalHeader } from '../../evaluation/journal-entry.ts';
import { episodeOf, gradeOf } from '../support/episodes.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-owner-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const header: JournalHeader = {
  kind: 'header',
  version: 1,
  datasetDigest: 'd',
  fingerprint: {
    model: 'm',
    protocol: { name: 'miniature', version: 1, digest: 'p' },
    prompt: 'protocol',
    temperature: 0,
    topP: 1,
    maxTokens: 64,
    seed: null,
    isolation: 'none',
    scoring: 's',
  },
};
const entry = (sampleId: string) =>
  ({ kind: 'sample', sampleId, attempt: 0, row: 0, episode: episodeOf([], '8'), grade: gradeOf('correct') }) as const;

test('a writer that was left behind stops before its next line, and the new one goes on', async () => {
  const path = join(dir, 'journal.jsonl');
  const behind = await openJournal(path, header, () => undefined);
  await behind.append(entry('a'));
  const found: string[] = [];
  const ahead = await openJournal(path, header, ({ sampleId }) => found.push(sampleId));
  expect(found).toEqual(['a']);
  await expect(behind.append(entry('b'))).rejects.toMatchObject({
    type: 'infrastructure',
    message: expect.stringContaining(`process ${process.pid}`),
  });
  await behind.close();
  await ahead.append(entry('c'));
  await ahead.close();
  const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
  expect(lines.map((line) => JSON.parse(line).entry.sampleId)).toEqual([undefined, 'a', 'c']);
  expect(await readdir(dir)).toEqual(['journal.jsonl']);
});
