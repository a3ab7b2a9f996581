import { mkdir } from 'node:fs/promises';
import { type Command, Option } from 'commander';
import { type ExportFormat, exportFormats } from '../../evaluation/export/encode-batches.ts';
import { exportEvaluation } from '../../evaluation/export/export-evaluation.ts';

const write = async (dir: string, options: { format: ExportFormat; output?: string }): Promise<void> => {
  const { format, output = dir } = options;
  await mkdir(output, { recursive: true });
  const { files, episodes } = await exportEvaluation(dir, format, output);
  process.stdout.write(`${episodes} episodes\n${files.join('\n')}\n`);
};

/** Adds `lensmith eval export`. */
export const addEvalExportCommand = (command: Command): void => {
  command
    .command('export <dir>')
    .description('write the results and the traces of an evaluation folder as tables')
    .addOption(new Option('--format <format>', 'of the files').choices(exportFormats).default('parquet'))
    .option('--output <folder>', 'folder that gets results and traces (default: the evaluation folder)')
    .action(write);
};
