import { execa } from 'execa';
import { expect, test, vi } from 'vitest';
import { passes } from '../../infra/local/probe.ts';
import { readServices } from '../../infra/local/read-services.ts';
import { stackDown } from '../../infra/local/stack-down.ts';
import { checkout, serviceDir, stackId } from '../../infra/local/stack-paths.ts';
import { stackUp } from '../../infra/local/stack-up.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { freePorts } from '../../processes/free-port.ts';
import { inspect } from '../../processes/launch.ts';
import { rayVersion } from '../../processes/ray-jobs.ts';
import { waitFor } from '../processes/wait-for.ts';
import { temporaryHome } from './fake-stack.ts';

vi.setConfig({ testTimeout: 240_000, hookTimeout: 60_000 });

test('Temporal with its search attributes and Ray with its Jobs API come up, and Temporal keeps its address', async () => {
  const home = await temporaryHome();
  const [temporal = 0, temporalUi = 0, ray = 0, rayDashboard = 0, rayClient = 0, rayAgent = 0] = await freePorts(6);
  const ports = { temporal, temporalUi, ray, rayDashboard, rayClient, rayAgent };
  const { environment } = await stackUp({ home, ports, only: ['temporal', 'ray'] });
  expect(environment).toMatchObject({ TEMPORAL_ADDRESS: `127.0.0.1:${temporal}`, TEMPORAL_NAMESPACE: 'default' });
  expect(
    await rayVersion({ address: environment.LENSMITH_RAY_ADDRESS ?? '', token: environment.LENSMITH_RAY_TOKEN }),
  ).toMatch(/^2\./);

  const services = (await readServices(home)).flatMap((service) =>
    (service.alive?.probes ?? []).map((probe) => ({ service, probe })),
  );
  expect(services).toHaveLength(3);
  for (const { service, probe } of services)
    await waitFor(`${service.name} to answer as alive`, async () =>
      (await passes(home, service, probe)) ? true : undefined,
    );

  const attributes = async () => {
    const list = ['operator', 'search-attribute', 'list', '--output', 'json'];
    const { stdout, failed } = await execa(`${checkout}/.venv/bin/temporal`, list, { env: environment, reject: false });
    return failed ? undefined : stdout;
  };
  const listed = await attributes();
  for (const name of ['LensmithRun', 'LensmithStage', 'LensmithVerdict']) expect(listed).toContain(name);

  const seen = await inspect(serviceDir(home, 'temporal'));
  if (seen.state !== 'running' || !seen.ledger.process) throw new Error('expected Temporal to run');
  process.kill(-seen.ledger.process.pid, 'SIGKILL');
  await waitFor('its end', async () => ((await attributes()) === undefined ? true : undefined));
  expect(await waitFor('Temporal at its address', attributes, 60_000)).toContain('LensmithRun');

  await stackDown({ home });
  expect(findProcesses({ runId: stackId(home) })).toEqual([]);
});
