import { Command } from 'commander';
import { expect, test } from 'vitest';
import { commandGroups, groupsFor } from '../../cli/command-groups.ts';

test('every module adds the commands that its group names, so that none is missing when it is loaded alone', async () => {
  for (const { names, load } of commandGroups) {
    const program = new Command();
    (await load())(program);
    expect(program.commands.map((command) => command.name())).toEqual(names);
  }
});

test('a command needs its own module alone; the help needs all', () => {
  expect(groupsFor('watch').flatMap(({ names }) => names)).toEqual(['train', 'resume', 'watch', 'cancel']);
  expect(groupsFor(undefined)).toBe(commandGroups);
  expect(groupsFor('--help')).toBe(commandGroups);
  expect(groupsFor('evla')).toBe(commandGroups);
});
