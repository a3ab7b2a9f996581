import { expect, test } from 'vitest';
import { launchModelServer, stopModelServer } from '../../activities/model-server.ts';
import type { ServerRequest } from '../../activities/server-command.ts';
import { servedModels } from '../../episodes/served-models.ts';
import { inActivity } from './in-activity.ts';
import { testHost, testRun } from './test-host.ts';

test('a judge that is started again answers where it did before', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const request: ServerRequest = {
    name: 'judge',
    model: '/models/prompt',
    modelDigest: 'digest',
    servedName: 'judge',
    role: 'judge',
    port: null,
  };
  const first = await inActivity(() => launchModelServer(host)(run, request));
  await inActivity(() => stopModelServer(host)(run, request));
  const second = await inActivity(() => launchModelServer(host)(run, request));
  expect(second).toEqual(first);
  expect(await servedModels(second.url)).toEqual(['judge']);
});
