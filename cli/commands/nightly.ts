import { ScheduleNotFoundError, ScheduleOverlapPolicy } from '@temporalio/client';
import type { Command } from 'commander';
import { LensmithError } from '../../domain/errors.ts';
import { nameSchema } from '../../domain/run-spec.ts';
import { controlQueue } from '../../domain/task-queues.ts';
import { withClient } from '../connect.ts';
import { write } from '../write.ts';

const scheduleIdOf = (name: string): string => `nightly/${name}`;

const orUnknown = (name: string) => (error: unknown) => {
  throw error instanceof ScheduleNotFoundError
    ? new LensmithError('config', `no nightly evaluation "${name}"; make one with "lensmith nightly enable ${name}"`, {
        where: 'NAME',
        cause: error,
      })
    : error;
};

/**
 * Checks a name before a schedule carries it into every night.
 *
 * @throws LensmithError `config` naming the argument.
 */
const assertName = (name: string, where: string): void => {
  const [issue] = nameSchema.safeParse(name).error?.issues ?? [];
  if (issue) throw new LensmithError('config', `${issue.message}; got "${name}"`, { where });
};

/** A missed night is made up for within hours, not a year later; one night waits for the other. */
const policies = { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: '6 hours', pauseOnFailure: false } as const;

const enable = async (name: string, options: { host: string; at: string; timezone: string }): Promise<void> => {
  assertName(name, 'NAME');
  assertName(options.host, '--host');
  await withClient(async (client) => {
    const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(options.at) ?? [];
    if (hour === undefined || minute === undefined || Number(hour) > 23 || Number(minute) > 59)
      throw new LensmithError('config', `expected a time such as 02:30, got "${options.at}"`, { where: '--at' });
    const spec = { calendars: [{ hour: Number(hour), minute: Number(minute) }], timezone: options.timezone };
    const action = {
      type: 'startWorkflow' as const,
      workflowType: 'nightly-evaluation',
      workflowId: scheduleIdOf(name),
      taskQueue: controlQueue,
      args: [{ name, host: options.host }],
    };
    const handle = client.schedule.getHandle(scheduleIdOf(name));
    const known = await handle.describe().catch((error: unknown) => {
      if (error instanceof ScheduleNotFoundError) return undefined;
      throw error;
    });
    const written = known
      ? handle.update(({ state }) => ({ spec, action, policies, state: { ...state, paused: false } }))
      : client.schedule.create({ scheduleId: scheduleIdOf(name), spec, action, policies });
    await written.catch((error: unknown) => {
      // What the server says of the times; of the zone it alone knows which there are.
      if (!(error instanceof TypeError)) throw error;
      throw new LensmithError('config', error.message, { where: '--timezone', cause: error });
    });
    write(`every night at ${options.at} ${options.timezone}: the promoted checkpoint of ${name} on its test split`);
    write(`once now:  lensmith nightly trigger ${name}`);
  });
};

const list = (): Promise<void> =>
  withClient(async (client) => {
    let any = false;
    for await (const { scheduleId, state, info } of client.schedule.list()) {
      if (!scheduleId.startsWith('nightly/')) continue;
      any = true;
      const last = info.recentActions.at(-1);
      const next = state.paused ? undefined : info.nextActionTimes[0];
      write(
        `${scheduleId.slice('nightly/'.length)}: ${state.paused ? 'disabled' : 'enabled'}` +
          `; last ${last ? last.takenAt.toISOString() : 'never'}; next ${next ? next.toISOString() : 'none'}`,
      );
    }
    if (!any) write('no nightly evaluation; make one with "lensmith nightly enable NAME"');
  });

/** Adds the commands of the nightly evaluations, which are schedules of Temporal. */
export const addNightlyCommands = (program: Command): void => {
  const nightly = program.command('nightly').description('evaluate promoted checkpoints every night');
  nightly
    .command('enable <name>')
    .description('evaluate the checkpoint promoted under NAME every night')
    .option('--at <hh:mm>', 'time of day', '02:30')
    .option('--timezone <zone>', 'IANA name of the time zone', 'UTC')
    .option('--host <name>', 'host worker that does it', 'local')
    .action(enable);
  nightly
    .command('disable <name>')
    .description('keep the schedule, but do nothing at night')
    .action((name: string) =>
      withClient(async (client) => {
        await client.schedule.getHandle(scheduleIdOf(name)).pause('lensmith nightly disable').catch(orUnknown(name));
        write(`the nightly evaluation of ${name} is disabled`);
      }),
    );
  nightly
    .command('trigger <name>')
    .description('evaluate now')
    .action((name: string) =>
      withClient(async (client) => {
        await client.schedule.getHandle(scheduleIdOf(name)).trigger().catch(orUnknown(name));
        write(`the nightly evaluation of ${name} begins; "lensmith runs" shows it`);
      }),
    );
  nightly.command('list').description('list the nightly evaluations').action(list);
};
