import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { readProcess } from '../../../processes/proc-stat.ts';
import { cut, portsOf } from '../partition.ts';

/** Within the namespaces of `ground.py`: cuts a connection that is open, writes into it, and joins it again. */
const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;
const client = connect(port, '127.0.0.1');
await once(client, 'connect');
const heard: string[] = [];
const said = (): string => heard.join('');
client.on('data', (data) => {
  heard.push(String(data));
});
const self = readProcess(process.pid);
const ports = portsOf(self ? [self] : []);
client.write('before ');
while (said() !== 'before ') await delay(20);
const heal = await cut(ports);
client.write('meanwhile ');
await delay(1000);
const meanwhile = said();
await heal();
while (said() !== 'before meanwhile ') await delay(20);
process.stdout.write(
  JSON.stringify({
    found: [port, client.localPort].every((own) => ports.includes(own ?? 0)),
    meanwhile,
    after: said(),
  }),
);
client.destroy();
server.close();
