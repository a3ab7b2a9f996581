import { expect, test } from 'vitest';
import { pytestCounts, vitestCounts } from '../../scripts/test-counts.ts';

test("pytest's report: failures and errors fail, skipped tests count as neither", () => {
  const report =
    '<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1.5"><testcase/></testsuite></testsuites>';
  expect(pytestCounts(report)).toEqual({ passed: 4, failed: 3 });
  expect(() => pytestCounts('')).toThrow(/pytest's report/);
});

test("vitest's report: a file that could not be loaded is a failure", () => {
  const file = (status: string, results: number) => ({ status, assertionResults: Array(results).fill({}) });
  const testResults = [file('passed', 5), file('failed', 2), file('failed', 0)];
  const report = JSON.stringify({ numPassedTests: 6, numFailedTests: 1, numPendingTests: 0, testResults });
  expect(vitestCounts(report)).toEqual({ passed: 6, failed: 2 });
});
