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

/** What the operating system refuses, such as a home that cannot be written, is no fault of the program. */
const readable = (error: unknown): unknown => {
  if (!(error instanceof Error && 'syscall' in error)) return error;
  const isFull = 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
  return new LensmithError(isFull ? 'disk_full' : 'infrastructure', error.message, { cause: error });
};

try {
  await program.parseAsync();
} catch (fault) {
  const error = readable(fault);
  if (!(error instanceof LensmithError)) throw error;
  process.stderr.write(`lensmith: ${error.type}: ${error.where ? `${error.where}: ` : ''}${error.message}\n`);
  process.exitCode = error.type === 'config' ? 2 : 1;
}
