import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parse } from 'yaml';
import { runSpecJsonSchema } from '../../cli/commands/schema.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';

it('the schema in docs/ is the one that the command prints', async () => {
  const file = new URL('../../docs/run-spec.schema.json', import.meta.url);
  expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(runSpecJsonSchema());
});

it.each(['miniature', 'smoke', 'cluster'])('the example %s is a valid spec', async (name) => {
  const file = new URL(`../../examples/${name}.yaml`, import.meta.url);
  expect(parseRunSpec(parse(await readFile(file, 'utf8'))).name).toBe(name);
});
