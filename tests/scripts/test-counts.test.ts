import { expect, test } from 'vitest';
import { pytestCounts, vitestCounts } from '../../scripts/test-counts.ts';

test("pytest's report: failures and errors fail, skipped tests count as neither", () => {
  const report =
    '<?xml version="1.0"?><testsuites name="pytest tests"><testsuite name="pytest" errors="1" failures="2" skipped="3" tests="10" time="1.5"><testcase classname="a.b" name="good" time="1"/><testcase classname="a.b" name="bad" time="1"><failure message="assert 1 == 2&#10;more">text</failure></testcase></testsuite></testsuites>';
  expect(pytestCounts(report)).toEqual({ passed: 4, failed: 3, failures: ['a.b > bad: assert 1 == 2'] });
  expect(() => pytestCounts('')).toThrow(/pytest's report/);
});

test("vitest's report: a file that failed outside of its tests is a failure", () => {
  const good = { status: 'passed', fullName: 'good', failureMessages: [] };
  const bad = { status: 'failed', fullName: 'bad', failureMessages: ['expected 1\n  at line'] };
  const testResults = [
    { name: 'a.test.ts', status: 'passed', message: '', assertionResults: [good, good] },
    { name: 'b.test.ts', status: 'failed', message: '', assertionResults: [good, bad] },
    { name: 'c.test.ts', status: 'failed', message: 'cannot be loaded\nat', assertionResults: [] },
  ];
  const report = JSON.stringify({ numPassedTests: 6, numFailedTests: 1, numPendingTests: 0, testResults });
  expect(vitestCounts(report)).toEqual({
    passed: 6,
    failed: 2,
    failures: ['b.test.ts > bad: expected 1', 'c.test.ts: cannot be loaded'],
  });
});
