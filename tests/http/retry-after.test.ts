import { expect, test } from 'vitest';
import { retryAfterMs } from '../../http/retry-after.ts';

test.each([
  ['2', 2000],
  [' 0.5 ', 500],
  ['Tue, 01 Jan 2030 00:00:05 GMT', 5000],
  ['0', undefined],
  ['Tue, 01 Jan 2019 00:00:05 GMT', undefined],
  ['soon', undefined],
  ['', undefined],
  [undefined, undefined],
])('Retry-After %j asks for %s ms', (header, ms) => {
  expect(retryAfterMs(header, Date.parse('2030-01-01T00:00:00Z'))).toBe(ms);
});
