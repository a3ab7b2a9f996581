import { z } from 'zod';

export interface Counts {
  readonly passed: number;
  readonly failed: number;
}

const vitestSchema = z.looseObject({
  numPassedTests: z.int(),
  numFailedTests: z.int(),
  testResults: z.array(z.looseObject({ status: z.string(), assertionResults: z.array(z.unknown()) })),
});

/** Counts of vitest's JSON report; a file that could not be loaded is one failure. */
export const vitestCounts = (report: string): Counts => {
  const { numPassedTests, numFailedTests, testResults } = vitestSchema.parse(JSON.parse(report));
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return { passed: numPassedTests, failed: numFailedTests + broken.length };
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
  return { passed: Math.max(0, count('tests') - failed - count('skipped')), failed };
};
