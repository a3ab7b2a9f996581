import { expect, test } from 'vitest';
import { faultsOfSteps } from './check-run.ts';

const size = { steps: 6, saveEvery: 3 };

test.each([
  ['each step once', [1, 2, 3, 4, 5, 6]],
  ['two steps again, from the checkpoint on', [1, 2, 3, 4, 5, 4, 5, 6]],
  ['the step again that was not saved yet', [1, 2, 3, 1, 2, 3, 4, 5, 6]],
])('%s is in order', (_, written) => {
  expect(faultsOfSteps('rl', written, size)).toEqual([]);
});

test.each([
  ['a step that is missing', [1, 2, 3, 5, 6], ['rl: steps 4 were never done', 'rl: after step 3 came 5']],
  [
    'work from before the last checkpoint',
    [1, 2, 3, 4, 1, 2, 3, 4, 5, 6],
    ['rl: after step 4 it went back to 1, over a checkpoint'],
  ],
  ['nothing', [], ['rl: steps 1, 2, 3, 4, 5, 6 were never done']],
])('%s is seen', (_, written, faults) => {
  expect(faultsOfSteps('rl', written, size)).toEqual(faults);
});
