import { expect, test } from 'vitest';
import { atRayOf, makeRayToken } from '../../activities/ray-cluster.ts';
import { rayFolder, rayNodeCommand, rayPortsOf } from '../../activities/ray-node-command.ts';
import { parseRunSpec } from '../../domain/parse-run-spec.ts';
import type { RunRef } from '../../domain/stage.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { testHost } from './test-host.ts';

const spec = parseRunSpec(miniatureSpec());
const runOn = (dir: string, ports: [number, number] | null, gpus: number[] = []): RunRef => ({
  run: 'spread',
  dir,
  workflowId: 'train/spread',
  lease: { id: 'train/spread/trainer-1', fence: 7, host: 'a', gpus, cpus: 4, ports },
});

test('the ports of a node are those of its lease, each once', () => {
  const ports = rayPortsOf(runOn('/runs/spread', [20_000, 32]));
  const { workers, ...named } = ports;
  expect(new Set(Object.values(named)).size).toBe(9);
  expect([Math.min(...Object.values(named)), Math.max(...Object.values(named))]).toEqual([20_000, 20_008]);
  expect(workers).toEqual([20_009, 20_031]);
  expect(() => rayPortsOf(runOn('/runs/spread', null))).toThrow('expected a lease of more than 9 ports');
});

test('a head and a node that joins it listen on the address of their host and offer what is leased to them', async () => {
  const host = await testHost({ name: 'a', address: '10.1.2.3' });
  const run = runOn(host.home, [20_000, 32], [0, 3]);
  const head = rayNodeCommand(host, run, spec, { gcs: null, token: 'secret' });
  const node = rayNodeCommand(host, run, spec, { gcs: '10.1.2.4:20000', token: 'secret' });
  expect(head.command).toEqual(expect.arrayContaining(['--head', '--port=20000', '--dashboard-host=10.1.2.3']));
  expect(node.command).toContain('--address=10.1.2.4:20000');
  expect(node.command).not.toContain('--head');
  for (const { command, env } of [head, node]) {
    expect(command).toEqual(
      expect.arrayContaining(['--node-ip-address=10.1.2.3', '--num-gpus=2', '--num-cpus=4', '--block']),
    );
    expect(command.join(' ')).not.toContain('secret');
    expect(env).toMatchObject({ RAY_AUTH_MODE: 'token', RAY_AUTH_TOKEN: 'secret' });
  }
  // `<folder>/session_<time>_<pid>/sockets/plasma_store` has to fit into the path of a socket.
  expect(rayFolder(host, run).length).toBeLessThan(50);
  expect(rayFolder(host, run)).not.toBe(rayFolder({ name: 'b' }, run));
});

test('a stage speaks to the Ray of its run where it has one, with the token of that', async () => {
  const dir = await temporaryFolder();
  const host = await testHost({ rayToken: 'of the host' });
  expect(await atRayOf(host, { dir })).toBe(host);
  const token = await makeRayToken({ dir });
  expect(await makeRayToken({ dir })).toBe(token);
  expect(await atRayOf(host, { dir, ray: { address: 'http://10.1.2.3:20001', nodes: 2 } })).toMatchObject({
    rayAddress: 'http://10.1.2.3:20001',
    rayToken: token,
  });
});
