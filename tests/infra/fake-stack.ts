import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import type { Service } from '../../infra/local/service.ts';
import { stackDown } from '../../infra/local/stack-down.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

const fixture = (name: string): string => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));

/** A home of the running test, whose stack is stopped with it. */
export const temporaryHome = async (): Promise<string> => {
  const home = join(await temporaryFolder(), 'home');
  onTestFinished(() => stackDown({ home }));
  return home;
};

export const fakeServer = (name: string, port: number, changes: Partial<Service> = {}): Service => ({
  name,
  role: 'server',
  command: [process.execPath, fixture('fake-server.ts'), String(port)],
  cwd: '/',
  env: {},
  ports: [port],
  address: `http://127.0.0.1:${port}`,
  ready: { kind: 'http', url: `http://127.0.0.1:${port}/` },
  after: [],
  ...changes,
});

export const fakeWorker = (name: string, home: string, changes: Partial<Service> = {}): Service => ({
  name,
  role: 'worker',
  command: [process.execPath, fixture('fake-worker.ts')],
  cwd: '/',
  env: { LENSMITH_HOME: home },
  ports: [],
  address: '',
  ready: { kind: 'file' },
  after: [],
  ...changes,
});
