import type { Command } from 'commander';

/** Commands that one module adds, by their names. */
export interface CommandGroup {
  readonly names: readonly string[];
  readonly load: () => Promise<(program: Command) => void>;
}

/** All commands, in the order of the help. What a command needs is loaded with it. */
export const commandGroups: readonly CommandGroup[] = [
  { names: ['up', 'down', 'status'], load: async () => (await import('./commands/stack.ts')).addStackCommands },
  {
    names: ['train', 'resume', 'watch', 'cancel'],
    load: async () => (await import('./commands/train.ts')).addTrainCommands,
  },
  { names: ['runs'], load: async () => (await import('./commands/runs.ts')).addRunsCommand },
  { names: ['pause'], load: async () => (await import('./commands/pause.ts')).addPauseCommand },
  { names: ['clone'], load: async () => (await import('./commands/clone.ts')).addCloneCommand },
  { names: ['nightly'], load: async () => (await import('./commands/nightly.ts')).addNightlyCommands },
  { names: ['hosts'], load: async () => (await import('./commands/hosts.ts')).addHostsCommand },
  { names: ['leases'], load: async () => (await import('./commands/leases.ts')).addLeasesCommand },
  {
    names: ['checkpoints'],
    load: async () => (await import('./commands/checkpoints.ts')).addCheckpointsCommand,
  },
  { names: ['hours'], load: async () => (await import('./commands/hours.ts')).addHoursCommand },
  { names: ['eval'], load: async () => (await import('./commands/eval.ts')).addEvalCommands },
  { names: ['rewards'], load: async () => (await import('./commands/rewards.ts')).addRewardsCommands },
  { names: ['judge'], load: async () => (await import('./commands/judge.ts')).addJudgeCommands },
  { names: ['reap'], load: async () => (await import('./commands/reap.ts')).addReapCommand },
  { names: ['schema'], load: async () => (await import('./commands/schema.ts')).addSchemaCommand },
  { names: ['tool-server'], load: async () => (await import('./commands/tool-server.ts')).addToolServerCommand },
  { names: ['sandbox'], load: async () => (await import('./commands/sandbox.ts')).addSandboxCommands },
];

/** The groups that have the command of this name; all of them where it is no command's. */
export const groupsFor = (name: string | undefined): readonly CommandGroup[] => {
  const found = commandGroups.filter(({ names }) => name !== undefined && names.includes(name));
  return found.length ? found : commandGroups;
};
