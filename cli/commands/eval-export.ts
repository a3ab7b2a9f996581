import { mkdir } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import type { ExportFormat } from '../../evaluation/export/encode-batches.ts';
import { stored } from '../../processes/storage-failure.ts';

// Named here, so that the help does without the libraries that write them.
const formats = ['parquet', 'arrow'] as const satisfies readonly ExportFormat[];

const write = async (dir: string, options: { format: ExportFormat; output?: string }): Promise<void> => {
  const { format, output } = options;
  // The evaluation's own folder is there, or its name is wrong.
  if (output !== undefined) await stored(output, mkdir(output, { recursive: true }));
  const { exportEvaluation } = await import('../../evaluation/export/export-evaluation.ts');
  const { files, episodes } = await exportEvaluation(dir, format, output);
  process.stdout.write(`${episodes} episodes\n${files.join('\n')}\n`);
};

/** Adds `lensmith eval export`. */
export const addEvalExportCommand = (command: Command): void => {
  command
    .command('export <dir>')
    .description('write the results and the traces of an evaluation folder as tables')
    .addOption(new Option('--format <format>', 'of the files').choices(formats).default('parquet'))
    .option('--output <folder>', 'folder that gets results and traces (default: the evaluation folder)')
    .action(write);
};
