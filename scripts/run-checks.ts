import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { type Counts, pytestCounts, vitestCounts } from './test-counts.ts';

const checkout = resolve(fileURLToPath(new URL('..', import.meta.url)));
const inCheckout = (...parts: string[]): string => join(checkout, ...parts);
const reports = await mkdtemp(join(tmpdir(), 'lensmith-checks-'));

interface Check {
  readonly name: string;
  readonly command: readonly string[];
  readonly cwd?: string;
  /** Reads how many tests passed and failed; a check without it counts as one. */
  readonly counts?: () => Promise<Counts>;
}

const node = process.execPath;
const python = inCheckout('.venv', 'bin', 'python');
const bin = (name: string): string => inCheckout('node_modules', '.bin', name);
const ruff = (...options: string[]): string[] => [
  ...[python, '-m', 'ruff', ...options, '--config', inCheckout('trainers', 'pyproject.toml')],
  ...['trainers', 'sandbox', 'scoring', 'tests'],
];
const vitestReport = join(reports, 'vitest.json');
const pytestReport = join(reports, 'pytest.xml');

const checks: readonly Check[] = [
  { name: 'types', command: [bin('tsc'), '--noEmit'] },
  { name: 'lint', command: [bin('biome'), 'check', '.'] },
  { name: 'layers', command: [node, inCheckout('scripts', 'check-layers.ts')] },
  { name: 'python lint', command: ruff('check') },
  { name: 'python format', command: ruff('format', '--check') },
  {
    name: 'pytest',
    command: [python, '-m', 'pytest', `--junitxml=${pytestReport}`, '../tests'],
    cwd: inCheckout('trainers'),
    counts: async () => pytestCounts(await readFile(pytestReport, 'utf8')),
  },
  {
    name: 'vitest',
    command: [
      ...[node, inCheckout('node_modules', 'vitest', 'vitest.mjs'), 'run'],
      ...['--reporter=default', '--reporter=json', `--outputFile.json=${vitestReport}`],
    ],
    counts: async () => vitestCounts(await readFile(vitestReport, 'utf8')),
  },
];

interface Result extends Counts {
  readonly name: string;
  readonly seconds: number;
}

const runCheck = async ({ name, command, cwd, counts }: Check): Promise<Result> => {
  process.stdout.write(`\n== ${name}\n`);
  const start = Date.now();
  const [program = '', ...rest] = command;
  const env = { PATH: `${inCheckout('node_modules', '.bin')}:${process.env.PATH ?? ''}` };
  const { failed, exitCode, signal } = await execa(program, rest, {
    cwd: cwd ?? checkout,
    env,
    reject: false,
    stdio: 'inherit',
  });
  const one = { passed: failed ? 0 : 1, failed: failed ? 1 : 0, failures: [] };
  // A runner that died has left no report, and one that failed without a failed test still has failed.
  const counted = (await counts?.().catch(() => undefined)) ?? one;
  const seconds = (Date.now() - start) / 1000;
  if (!failed) return { name, seconds, ...counted };
  const failures = counted.failures.length > 0 ? counted.failures : [`it ended with exit code ${exitCode ?? signal}`];
  return { name, seconds, passed: counted.passed, failed: Math.max(counted.failed, 1), failures };
};

const results: Result[] = [];
try {
  for (const check of checks) results.push(await runCheck(check));
} finally {
  await rm(reports, { recursive: true, force: true });
}

process.stdout.write('\n');
for (const { name, passed, failed, seconds } of results)
  process.stdout.write(`${name.padEnd(14)} ${passed} passed, ${failed} failed in ${seconds.toFixed(1)} s\n`);
for (const { name, failures } of results)
  for (const failure of failures) process.stdout.write(`FAILED ${name}: ${failure.replaceAll(`${checkout}/`, '')}\n`);
const sum = (key: 'passed' | 'failed'): number => results.reduce((total, result) => total + result[key], 0);
process.stdout.write(`\n${sum('passed')} passed, ${sum('failed')} failed\n`);
process.exitCode = sum('failed') > 0 ? 1 : 0;
