import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { type Host, runsFolder } from '../../activities/host.ts';
import { type RunFile, runFilePath } from '../../activities/read-run.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import type { RunSpecInput } from '../../domain/run-spec.ts';
import type { RunRef } from '../../domain/stage.ts';
import { stopTree } from '../../processes/stop-tree.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';

/** A host of the running test: its home goes with it, and its trainers are the small ones of `fixtures/`. */
export const testHost = async (changes: Partial<Host> = {}): Promise<Host> => {
  const home = await temporaryFolder();
  const host: Host = {
    name: 'test',
    home,
    checkout: fileURLToPath(new URL('fixtures', import.meta.url)),
    python: fileURLToPath(new URL('../../.venv/bin/python', import.meta.url)),
    rayAddress: 'http://127.0.0.1:1',
    toolServer: 'http://127.0.0.1:1',
    ...changes,
  };
  await mkdir(runsFolder(host), { recursive: true });
  return host;
};

let runs = 0;

/** A run of the test on its host; whatever it still has running is stopped at the test's end. */
export const testRun = async (host: Host, changes: Partial<RunSpecInput> = {}): Promise<RunRef> => {
  runs += 1;
  const run = `test-${process.pid}-${runs}`;
  const dir = join(runsFolder(host), run);
  await mkdir(dir, { recursive: true });
  onTestFinished(async () => {
    await stopTree({ runId: run, graceMs: 1000 });
  });
  const file: RunFile = {
    version: 1,
    run,
    workflowId: `train/${run}`,
    execution: 'first',
    createdAt: '2030-01-01T00:00:00Z',
    spec: parseRunSpec(miniatureSpec({ run, ...changes })),
  };
  await writeFile(runFilePath(dir), JSON.stringify(file));
  return { run, dir, workflowId: file.workflowId };
};
