import { z } from 'zod';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
  /** Each test that failed, with the first line of why. */
  readonly failures: readonly string[];
}

const firstLine = (text: string): string => text.trim().split('\n')[0] ?? '';

const vitestSchema = z.looseObject({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  testResults: z.array(
    z.looseObject({
      name: z.string(),
      status: z.string(),
      message: z.string().default(''),
      assertionResults: z.array(
        z.looseObject({
          status: z.string(),
          fullName: z.string(),
          failureMessages: z.array(z.string()).nullish(),
        }),
      ),
    }),
  ),
});

/** Counts of vitest's JSON report; a file that failed outside of its tests is one failure. */
export const vitestCounts = (report: string): Counts => {
  const { numPassedTests, numFailedTests, testResults } = vitestSchema.parse(JSON.parse(report));
  const isFailed = ({ status }: { status: string }): boolean => status === 'failed';
  const failed = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter(isFailed)
      .map(({ fullName, failureMessages }) => `${name} > ${fullName}: ${firstLine(failureMessages?.join('\n') ?? '')}`),
  );
  const broken = testResults
    .filter((file) => isFailed(file) && !file.assertionResults.some(isFailed))
    .map(({ name, message }) => `${name}: ${firstLine(message)}`);
  return { passed: numPassedTests, failed: numFailedTests + broken.length, failures: [...failed, ...broken] };
};

/** Counts of pytest's JUnit report; an error outside of a test is a failure, a skipped test counts as neither. */
export const pytestCounts = (report: string): Counts => {
  const suite = /<testsuite\s[^>]*>/.exec(report)?.[0] ?? '';
  const count = (name: string): number => {
    const found = new RegExp(`\\s${name}="(\\d+)"`).exec(suite)?.[1];
    if (found === undefined) throw new Error(`pytest's report does not say "${name}"`);
    return Number(found);
  };
  const failed = count('failures') + count('errors');
  const named = report.matchAll(/<testcase\s([^>]*)>\s*<(?:failure|error)\s[^>]*?message="([^"]*)"/g);
  const failures = [...named].map(([, test = '', message = '']) => {
    const attribute = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(test)?.[1] ?? '';
    return `${attribute('classname')} > ${attribute('name')}: ${firstLine(message.replaceAll('&#10;', '\n'))}`;
  });
  return { passed: Math.max(0, count('tests') - failed - count('skipped')), failed, failures };
};
