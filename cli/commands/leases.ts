import type { Command } from 'commander';
import { poolQuery, takeBackLeaseUpdate } from '../../workflows/gpu-pool-messages.ts';
import { leasesTable } from '../leases-table.ts';
import { withPool } from '../pool-client.ts';
import { write } from '../write.ts';

/** Adds the commands that show what is leased and who waits. */
export const addLeasesCommand = (program: Command): void => {
  const leases = program
    .command('leases')
    .description('list what is leased to whom, and who waits for what and why')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => {
      const pool = await withPool((handle) => handle.query(poolQuery));
      if (!options.json) return write(leasesTable(pool, Date.now()));
      write(JSON.stringify({ leases: pool.leases, queue: pool.queue }, null, 2));
    });
  leases
    .command('take-back <id>')
    .description('take a lease, or a place in the queue, away from its holder, whose work there is cancelled')
    .action(async (id: string) => {
      const had = await withPool((handle) => handle.executeUpdate(takeBackLeaseUpdate, { args: [{ id }] }));
      write(had ? `${id} is taken back` : `nothing is leased as ${id}, and it does not wait`);
    });
};
