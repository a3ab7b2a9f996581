import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runEvaluation } from '../../evaluation/run-evaluation.ts';
import { startScriptedServer } from '../episodes/scripted-server.ts';
import { askedIndex, evaluationOptions, writeDigitSet } from './digit-set.ts';

// As exFAT and some network file systems do, none of which a test can count on.
vi.mock('node:fs/promises', async (original) => ({
  ...(await original<typeof import('node:fs/promises')>()),
  link: () => Promise.reject(Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM' })),
}));

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'lensmith-links-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

test('graded anew where there are no hard links, the earlier journal is kept', async () => {
  const server = await startScriptedServer((request) => `<answer>${askedIndex(request)}</answer>`);
  try {
    const outputDir = join(dir, 'out');
    const dataset = await writeDigitSet(dir, 2);
    const options = await evaluationOptions({ dataset, outputDir, endpoints: [server.url] });
    await runEvaluation(options);
    const before = await readFile(join(outputDir, 'journal.jsonl'));
    await runEvaluation({ ...options, rejudge: true });
    expect((await readFile(join(outputDir, 'journal.jsonl.previous'))).equals(before)).toBe(true);
  } finally {
    await server.close();
  }
});
