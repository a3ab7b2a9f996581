import type { Command } from 'commander';
import { drainHostUpdate, poolQuery, removeHostUpdate } from '../../workflows/gpu-pool-messages.ts';
import { hostState, hostsTable } from '../hosts-table.ts';
import { withPool } from '../pool-client.ts';
import { write } from '../write.ts';

const list = async (options: { json?: boolean }): Promise<void> => {
  const pool = await withPool((handle) => handle.query(poolQuery));
  const now = Date.now();
  if (options.json)
    return write(
      JSON.stringify(
        pool.hosts.map((host) => ({ ...host, state: hostState(host, now) })),
        null,
        2,
      ),
    );
  write(hostsTable(pool, now));
};

const drain = async (host: string, draining: boolean): Promise<void> => {
  await withPool((handle) => handle.executeUpdate(drainHostUpdate, { args: [{ host, draining }] }));
  write(draining ? `${host} gets no new lease; what is leased there stays` : `${host} gets leases again`);
};

/** Adds the commands that show and change the hosts of the pool. */
export const addHostsCommand = (program: Command): void => {
  const hosts = program
    .command('hosts')
    .description('list the hosts of the pool: what each has and what of it is free')
    .option('--json', 'as JSON')
    .action(list);
  hosts
    .command('drain <host>')
    .description('give out nothing more of a host; what is leased there stays leased')
    .action((host: string) => drain(host, true));
  hosts
    .command('undrain <host>')
    .description('give out a drained host again')
    .action((host: string) => drain(host, false));
  hosts
    .command('remove <host>')
    .description('forget a host that is gone for good and on which nothing is leased')
    .action(async (host: string) => {
      await withPool((handle) => handle.executeUpdate(removeHostUpdate, { args: [{ host }] }));
      write(`${host} is out of the pool; it comes back where its worker runs`);
    });
};
