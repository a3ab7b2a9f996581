import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const binary = fileURLToPath(new URL('../../.venv/bin/temporal', import.meta.url));

/** What would tell of the machine on which a fixture was made, and does not matter for a replay. */
const withoutOrigin = (key: string, value: unknown): unknown => {
  if (key === 'stackTrace') return '';
  return key === 'identity' ? 'worker' : value;
};

/**
 * Saves a workflow's history as a fixture for the replay test where `LENSMITH_SAVE_HISTORIES` is set: done once for
 * each ending of each released version, and never for a version that is out. Without `runId` it is the newest run.
 */
export const saveHistory = async (address: string, workflowId: string, name: string, runId?: string): Promise<void> => {
  if (!process.env.LENSMITH_SAVE_HISTORIES) return;
  const { stdout } = await promisify(execFile)(
    binary,
    [
      ...['workflow', 'show', '--workflow-id', workflowId, '--address', address, '--output', 'json'],
      ...(runId === undefined ? [] : ['--run-id', runId]),
    ],
    { maxBuffer: 64 * 1024 * 1024 },
  );
  await writeFile(
    new URL(`../histories/${name}_0.1.0.json`, import.meta.url),
    `${JSON.stringify({ workflowId, ...JSON.parse(stdout) }, withoutOrigin)}\n`,
  );
};
