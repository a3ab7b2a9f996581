import { expect, test, vi } from 'vitest';
import { withClient } from '../../cli/connect.ts';
import { startTemporal } from '../support/local-temporal.ts';

test('what fails at the server in the middle of a command is told in its words', async () => {
  const temporal = await startTemporal();
  try {
    vi.stubEnv('TEMPORAL_ADDRESS', temporal.address);
    await expect(withClient((client) => client.workflow.count('NoSuchAttribute = 1'))).rejects.toMatchObject({
      name: 'LensmithError',
      type: 'infrastructure',
      where: 'Temporal',
      message: expect.stringContaining('NoSuchAttribute'),
    });
  } finally {
    vi.unstubAllEnvs();
    await temporal.teardown();
  }
});
