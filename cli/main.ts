import { Command } from 'commander';
import { LensmithError } from '../domain/errors.ts';
import { addEvalCommands } from './commands/eval.ts';
import { addHostsCommand } from './commands/hosts.ts';
import { addJudgeCommands } from './commands/judge.ts';
import { addLeasesCommand } from './commands/leases.ts';
import { addNightlyCommands } from './commands/nightly.ts';
import { addReapCommand } from './commands/reap.ts';
import { addRewardsCommands } from './commands/rewards.ts';
import { addSandboxCommands } from './commands/sandbox.ts';
import { addSchemaCommand } from './commands/schema.ts';
import { addStackCommands } from './commands/stack.ts';
import { addToolServerCommand } from './commands/tool-server.ts';
import { addTrainCommands } from './commands/train.ts';

const program = new Command('lensmith')
  .description('Train and evaluate vision-language models that think by writing code.')
  .showHelpAfterError();
addStackCommands(program);
addTrainCommands(program);
addNightlyCommands(program);
addHostsCommand(program);
addLeasesCommand(program);
addEvalCommands(program);
addRewardsCommands(program);
addJudgeCommands(program);
addReapCommand(program);
addSchemaCommand(program);
addToolServerCommand(program);
addSandboxCommands(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof LensmithError)) throw error;
  process.stderr.write(`lensmith: ${error.type}: ${error.where ? `${error.where}: ` : ''}${error.message}\n`);
  process.exitCode = error.type === 'config' ? 2 : 1;
}
