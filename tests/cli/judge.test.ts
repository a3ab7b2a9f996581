import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { judgeAuditSchema } from '../../domain/judge.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { startOracle } from '../scoring/judge-oracle.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

const audit = async (args: readonly string[], env: Record<string, string> = {}) => {
  const home = await temporaryFolder();
  const result = await execa(process.execPath, [main, 'judge', 'audit', ...args], {
    reject: false,
    timeout: 60_000,
    env: { LENSMITH_HOME: home, LLM_AS_A_JUDGE_BASE: undefined, ...env },
  });
  return { ...result, home };
};

test('a judge that passes: the table, its file, exit code 0', async () => {
  const server = await startOracle();
  const { stdout, exitCode, home } = await audit(['--endpoint', server.url, '--model', 'judge']);
  expect(exitCode).toBe(0);
  for (const word of [
    'agreement',
    'sensitivity',
    'specificity',
    'adversarial',
    'Wilson 95 %',
    'said: cannot tell',
    'design',
  ])
    expect(stdout).toContain(word);
  expect(stdout).toMatch(/held-out +│ agreement +│ 108 of 108/);
  expect(stdout).toContain('The judge passed');
  const [file = ''] = await readdir(join(home, 'judge-audits'));
  expect(file).toMatch(/^judge\.prompts-[0-9a-f]{12}\.json$/);
  expect(stdout).toContain(join(home, 'judge-audits', file));
});

test('a judge that fails: what it got wrong, exit code 1', async () => {
  const server = await startOracle(({ label, trick }) => (trick ? 'correct' : label));
  const { stdout, exitCode } = await audit([], { LLM_AS_A_JUDGE_BASE: server.url });
  expect(exitCode).toBe(1);
  expect(stdout).toContain('The judge failed');
  expect(stdout).toMatch(/t\d\d: wrong, it said correct/);
});

test('--json has the whole audit', async () => {
  const server = await startOracle(() => 'wrong');
  const { stdout, exitCode } = await audit(['--endpoint', server.url, '--json', '--stop-when-lost', '--id', 'mine']);
  expect(exitCode).toBe(1);
  const found = judgeAuditSchema.parse(JSON.parse(stdout));
  expect(found).toMatchObject({ judge: 'mine', passed: false });
  expect(found.asked).toBeLessThan(found.pairs);
});

test('a server of another model is no failed judge: exit code 2, and nothing is kept', async () => {
  const server = await startOracle(undefined, undefined, 'something-smaller');
  const { stderr, exitCode, home } = await audit(['--endpoint', server.url, '--model', 'judge']);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('something-smaller');
  await expect(readdir(join(home, 'judge-audits'))).rejects.toThrow('ENOENT');
});

test('an address without http and a key that no header can have are refused', async () => {
  const { stderr, exitCode } = await audit(['--endpoint', 'localhost:8000/v1', '--api-key', 'one\ntwo']);
  expect(exitCode).toBe(2);
  for (const wanted of ['expected URLs that begin with http', 'expected a key of printable'])
    expect(stderr).toContain(wanted);
});

test('without an endpoint it says what it wants', async () => {
  const { stderr, exitCode } = await audit([]);
  expect(exitCode).toBe(2);
  expect(stderr).toContain('LLM_AS_A_JUDGE_BASE');
});
