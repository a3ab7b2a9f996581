import { enableCompileCache } from 'node:module';
import { Command } from 'commander';
import { LensmithError } from '../domain/errors.ts';
import { groupsFor } from './command-groups.ts';
import { listenForOutputFaults } from './output-faults.ts';

listenForOutputFaults();
const program = new Command('lensmith')
  .description('Train and evaluate vision-language models that think by writing code.')
  .showHelpAfterError()
  // What commander refuses is a wrong flag like those that we refuse, and ends with the same code.
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2));
// What is loaded from here on is compiled once and kept, types stripped.
enableCompileCache();
for (const { load } of groupsFor(process.argv[2])) (await load())(program);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof LensmithError)) throw error;
  process.stderr.write(`lensmith: ${error.type}: ${error.where ? `${error.where}: ` : ''}${error.message}\n`);
  process.exitCode = error.type === 'config' ? 2 : 1;
}
