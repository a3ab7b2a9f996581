import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { assertPortFree, freePort, freePorts } from '../../processes/free-port.ts';

test('several ports are distinct and can be bound', async () => {
  const ports = await freePorts(20);
  expect(new Set(ports).size).toBe(20);
  for (const port of ports) await assertPortFree(port, 'the test');
});

test('a port in use is an error that names the port, the need and the holder', async () => {
  const port = await freePort();
  const script = `require('node:net').createServer().listen(${port}, '127.0.0.1', () => console.log('up'))`;
  const holder = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  onTestFinished(async () => {
    const gone = once(holder, 'exit');
    holder.kill('SIGKILL');
    await gone;
  });
  await once(holder.stdout, 'data');
  const error = await assertPortFree(port, 'the model server').catch((caught: unknown) => caught);
  expect(error).toMatchObject({ type: 'port', where: `127.0.0.1:${port}` });
  expect(String(error)).toContain(`the model server needs port ${port}`);
  expect(String(error)).toContain(`process ${holder.pid} (`);
});

test('a port that is free again passes', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('expected a port');
  await expect(assertPortFree(address.port, 'the test')).rejects.toThrow(/in use/);
  server.close();
  await once(server, 'close');
  await assertPortFree(address.port, 'the test');
});
