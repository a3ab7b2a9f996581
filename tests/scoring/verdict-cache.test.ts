import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { verdictCache, verdictKey } from '../../scoring/judge/verdict-cache.ts';
import { openVerdictJournal } from '../../scoring/judge/verdict-journal.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

const questionOf = (answer: string) => ({ question: 'What is on the sofa?', reference: 'a cat', answer });
const keyOf = (answer: string): string => verdictKey('judge', questionOf(answer));
const keepIn = (folder: string, answer: string): Promise<void> =>
  verdictCache(folder, 'judge').keep(keyOf(answer), questionOf(answer), { verdict: 'wrong', reason: `not ${answer}` });
const found = { verdict: 'wrong', reason: 'not a dog' };

const journalPath = async (): Promise<string> => join(await temporaryFolder(), 'verdicts.jsonl');

test('a folder that is not there has no verdicts and takes the first', async () => {
  const folder = join(await temporaryFolder(), 'cache', 'judge');
  const cache = verdictCache(folder, 'judge');
  expect(await cache.find(keyOf('a dog'))).toBeUndefined();
  await keepIn(folder, 'a dog');
  expect(await cache.find(keyOf('a dog'))).toEqual(found);
  expect(await cache.find(keyOf('a bird'))).toBeUndefined();
});

test('what one process adds another one finds, also with the file open in both', async () => {
  const path = await journalPath();
  const [one, other] = [openVerdictJournal(path), openVerdictJournal(path)];
  const keys = Array.from({ length: 40 }, (_, index) => keyOf(`animal ${index}`));
  for (const [index, key] of keys.entries()) {
    const [writer, reader] = index % 3 ? [one, other] : [other, one];
    writer.keep(key, { reason: `${index}` });
    expect(await reader.find(key)).toEqual({ key, reason: `${index}` });
    expect(await writer.find(key)).toEqual({ key, reason: `${index}` });
  }
});

test('lines of processes that write at once do not mix', async () => {
  const path = await journalPath();
  const module = new URL('../../scoring/judge/verdict-journal.ts', import.meta.url).href;
  const script = `import { createHash } from 'node:crypto';
    import { openVerdictJournal } from '${module}';
    const journal = openVerdictJournal(process.argv[1]);
    for (let index = 0; index < 300; index += 1)
      journal.keep(createHash('sha256').update(process.argv[2] + index).digest('hex'), { reason: 'x'.repeat(index) });`;
  const write = (who: string) =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, path, who]);
  await Promise.all(['one', 'two', 'three'].map(write));
  const lines = (await readFile(path, 'utf8')).split('\n').filter((line) => line !== '');
  expect(lines).toHaveLength(900);
  for (const line of lines) expect(() => JSON.parse(line)).not.toThrow();
  const last = createHash('sha256').update('two299').digest('hex');
  expect(await openVerdictJournal(path).find(last)).toEqual({ key: last, reason: 'x'.repeat(299) });
});

test('a file that was removed is begun anew', async () => {
  const path = await journalPath();
  const journal = openVerdictJournal(path);
  journal.keep(keyOf('a dog'), { reason: 'before' });
  await rm(path);
  journal.keep(keyOf('a bird'), { reason: 'after' });
  expect(await readFile(path, 'utf8')).toContain('after');
  for (const reader of [journal, openVerdictJournal(path)]) {
    expect(await reader.find(keyOf('a dog'))).toBeUndefined();
    expect(await reader.find(keyOf('a bird'))).toMatchObject({ reason: 'after' });
  }
});

test('a torn end costs its own verdict and no other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 120 }), async (cut) => {
      const folder = await temporaryFolder();
      const path = join(folder, 'verdicts.jsonl');
      await keepIn(folder, 'a dog');
      const whole = (await readFile(path)).length;
      await keepIn(folder, 'a bird');
      await truncate(path, (await readFile(path)).length - cut);
      const journal = openVerdictJournal(path);
      expect(await journal.find(keyOf('a bird'))).toBeUndefined();
      journal.keep(keyOf('a fish'), { reason: 'later' });
      for (const reader of [journal, openVerdictJournal(path)]) {
        expect(await reader.find(keyOf('a dog'))).toMatchObject(found);
        expect(await reader.find(keyOf('a fish'))).toMatchObject({ reason: 'later' });
      }
      expect((await readFile(path)).length).toBeGreaterThan(whole);
    }),
    { numRuns: 20 },
  );
});

test('a damaged line is no verdict', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'verdicts.jsonl');
  await keepIn(folder, 'a dog');
  const text = await readFile(path, 'utf8');
  await writeFile(path, text.replace('"wrong"', '"right"'));
  await appendFile(path, 'no line of ours\n');
  await keepIn(folder, 'a bird');
  const journal = openVerdictJournal(path);
  expect(await journal.find(keyOf('a dog'))).toBeUndefined();
  expect(await journal.find(keyOf('a bird'))).toMatchObject({ reason: 'not a bird' });
});

test('a file that somebody began anew has only what is in it', async () => {
  const folder = await temporaryFolder();
  const path = join(folder, 'verdicts.jsonl');
  for (const answer of ['a dog', 'a bird', 'a fish']) await keepIn(folder, answer);
  await truncate(path, 0);
  await keepIn(folder, 'a dog');
  const cache = verdictCache(folder, 'judge');
  expect(await cache.find(keyOf('a bird'))).toBeUndefined();
  expect(await cache.find(keyOf('a dog'))).toEqual(found);
});
