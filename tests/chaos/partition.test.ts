import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { canMakeNamespace, inNamespace } from './ground.ts';

const program = fileURLToPath(new URL('programs/try-cut.ts', import.meta.url));

test.skipIf(!(await canMakeNamespace()))(
  'what a process that is cut off says arrives once it is joined again',
  { timeout: 60_000 },
  async () => {
    const [command, ...rest] = inNamespace([process.execPath, program]);
    const { stdout } = await execa(command, rest, { timeout: 50_000 });
    expect(JSON.parse(stdout)).toEqual({ found: true, meanwhile: 'before ', after: 'before meanwhile ' });
  },
);
