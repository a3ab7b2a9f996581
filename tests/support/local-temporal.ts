import { fileURLToPath } from 'node:url';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { runAttribute, stageAttribute, verdictAttribute } from '../../workflows/search-attributes.ts';

/** A real Temporal server of the test's own, in memory, from the binary that bootstrap has installed. */
export const startTemporal = (extraArgs: string[] = []): Promise<TestWorkflowEnvironment> =>
  TestWorkflowEnvironment.createLocal({
    server: {
      executable: { type: 'existing-path', path: fileURLToPath(new URL('../../.venv/bin/temporal', import.meta.url)) },
      searchAttributes: [runAttribute, stageAttribute, verdictAttribute],
      extraArgs,
    },
  });
