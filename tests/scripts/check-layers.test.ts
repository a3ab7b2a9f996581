import { expect, test } from 'vitest';
import { layerFaults } from '../../scripts/check-layers.ts';
import { findImports } from '../../scripts/find-imports.ts';

test.each([
  ['domain/a.ts', `import { b } from './b.ts';`],
  ['episodes/loop.ts', `import { createSandbox } from '../sandbox/supervisor.ts';`],
  ['episodes/sub/loop.ts', `import { x } from '../../domain/x.ts';`],
  ['workflows/train.ts', `import type { Activities } from '../activities/all.ts';`],
  ['workflows/train.ts', `import { proxyActivities } from '@temporalio/workflow';`],
  [
    'activities/train.ts',
    `import { Context } from '@temporalio/activity';\nimport { launch } from '../processes/launch.ts';`,
  ],
  ['cli/main.ts', `import { x } from '../workflows/train.ts';\nimport '@temporalio/client';`],
  ['sandbox/a.ts', `import { z } from 'zod';\nimport { join } from 'node:path';`],
])('%s may say %s', (file, source) => {
  expect(layerFaults(file, source)).toEqual([]);
});

test.each([
  ['domain/a.ts', `import { x } from '../processes/launch.ts';`, 'domain/ may not import processes/'],
  ['domain/a.ts', `import type { x } from '../processes/launch.ts';`, 'domain/ may not import processes/'],
  ['sandbox/a.ts', `export { x } from '../episodes/loop.ts';`, 'sandbox/ may not import episodes/'],
  ['processes/a.ts', `import { Context } from '@temporalio/activity';`, 'knows nothing of Temporal'],
  ['evaluation/a.ts', `const t = await import('@temporalio/client');`, 'knows nothing of Temporal'],
  ['workflows/train.ts', `import { train } from '../activities/all.ts';`, 'write "import type"'],
  ['workflows/train.ts', `import {\n  type A,\n  train,\n} from '../activities/all.ts';`, 'write "import type"'],
  ['workflows/train.ts', `import type { A } from '../processes/launch.ts';`, 'workflows/ may not import processes/'],
  ['scoring/sub/a.ts', `import '../../cli/main.ts';`, 'scoring/ may not import cli/'],
])('%s may not say %s', (file, source, fault) => {
  expect(layerFaults(file, source)).toEqual([expect.stringContaining(fault)]);
});

test('a fault names the file and the line', () => {
  const source = `import { z } from 'zod';\n\n/** Text. */\nimport { x } from '../cli/main.ts';\n`;
  expect(layerFaults('domain/a.ts', source)).toEqual([expect.stringMatching(/^domain\/a\.ts:4: /)]);
});

test('imports are found over several lines, and types are told from values', () => {
  const source = `
import type { A } from 'types';
import {
  b,
  type C,
} from "values";
export * from 'exports';
export type { D } from 'exported-types';
import 'effects';
const e = await import('dynamic');
type F = typeof import('dynamic-types');
const g = 'import { h } from "text"';
export const i = () => other("from 'text'");
`;
  expect(findImports(source).map(({ module, typeOnly, line }) => [module, typeOnly, line])).toEqual([
    ['types', true, 2],
    ['values', false, 3],
    ['exports', false, 7],
    ['exported-types', true, 8],
    ['effects', false, 9],
    ['dynamic', false, 10],
    ['dynamic-types', true, 11],
  ]);
});
