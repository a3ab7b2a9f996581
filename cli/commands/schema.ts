import type { Command } from 'commander';
import { z } from 'zod';
import { runSpecSchema } from '../../domain/run-spec.ts';

/** JSON Schema of the run spec, as editors take it. */
export const runSpecJsonSchema = (): unknown => z.toJSONSchema(runSpecSchema, { io: 'input' });

/** Adds the command that exports the schema of the run spec. */
export const addSchemaCommand = (program: Command): void => {
  program
    .command('schema')
    .description('print the JSON Schema of the run spec')
    .action(() => {
      process.stdout.write(`${JSON.stringify(runSpecJsonSchema(), null, 2)}\n`);
    });
};
