import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { type Command, InvalidArgumentError } from 'commander';
import { hostFromEnvironment } from '../../activities/host.ts';
import { LensmithError } from '../../domain/errors.ts';
import { type ExecutionResult, type Isolation, isolationLevels } from '../../domain/sandbox.ts';
import { stored } from '../../processes/storage-failure.ts';
import { examineSandbox } from '../../sandbox/doctor.ts';
import { openSandbox } from '../../sandbox/open-sandbox.ts';
import { serveSandbox } from '../../sandbox/serve-sandbox.ts';
import { superviseSandbox } from '../../sandbox/supervise-sandbox.ts';
import { wholeNumber } from '../whole-number.ts';

const main = fileURLToPath(new URL('../main.ts', import.meta.url));

const isolationOf = (text: string): Isolation => {
  const level = isolationLevels.find((known) => known === text);
  if (!level) throw new InvalidArgumentError(`expected ${isolationLevels.join(' or ')}`);
  return level;
};

const secondsOf = (text: string): number => {
  const value = Number(text);
  if (!(value > 0 && value <= 600)) throw new InvalidArgumentError('expected seconds, more than 0 and at most 600');
  return value;
};

const pythonOf = async (): Promise<string> => (await hostFromEnvironment()).python;

/** A process that a signal ends at once closes nothing; one that leaves by itself takes its sandbox's folder with it. */
const leaveAtSignals = (): void => {
  for (const name of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) {
    process.once(name, () => process.exit(128 + constants.signals[name]));
  }
};

const saveImages = async ({ images }: ExecutionResult, folder: string): Promise<void> => {
  if (images.length > 0) await stored(folder, mkdir(folder, { recursive: true }));
  for (const [index, { data, width, height }] of images.entries()) {
    const path = join(folder, `image-${index + 1}.png`);
    await stored(path, writeFile(path, Buffer.from(data, 'base64')));
    process.stderr.write(`${path} (${width} x ${height})\n`);
  }
};

interface ExecOptions {
  readonly image?: string[];
  readonly isolation: Isolation;
  readonly seconds: number;
  readonly output: string;
  readonly json?: boolean;
}

const exec = async (file: string, options: ExecOptions): Promise<void> => {
  const code = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new LensmithError('data', `expected a readable file of Python: ${String(cause)}`, { where: file, cause });
  });
  leaveAtSignals();
  const sandbox = await openSandbox({ python: await pythonOf(), isolation: options.isolation, prepared: 0 });
  try {
    const session = await sandbox.createSession({
      images: (options.image ?? []).map((path) => ({ path })),
      limits: { callSeconds: options.seconds },
    });
    // Python takes no notice of the mark that some editors begin a file with.
    const result = await session.execute({ code: code.replace(/^\uFEFF/, '') });
    if (options.json) process.stdout.write(`${JSON.stringify(result)}\n`);
    else {
      process.stdout.write(result.stdout);
      process.stderr.write(result.stderr);
      if (result.error) process.stderr.write(`${result.outcome}: ${result.error.traceback || result.error.message}\n`);
      await saveImages(result, options.output);
    }
    process.exitCode = result.error ? 1 : 0;
  } finally {
    await sandbox.close();
  }
};

const doctor = async (options: { isolation: Isolation; json?: boolean }): Promise<void> => {
  leaveAtSignals();
  const findings = await examineSandbox({ python: await pythonOf(), isolation: options.isolation });
  if (options.json) process.stdout.write(`${JSON.stringify(findings)}\n`);
  else {
    const table = new Table({ head: ['wall', 'state', 'found'], style: { head: [], border: [] } });
    table.push(...findings.map(({ name, state, detail }) => [name, state, detail]));
    process.stdout.write(`${table.toString()}\n`);
  }
  process.exitCode = findings.some(({ state }) => state === 'fail') ? 1 : 0;
};

/** Adds the commands of the sandbox, which work without the rest of Lensmith. */
export const addSandboxCommands = (program: Command): void => {
  const sandbox = program.command('sandbox').description('run Python that nobody has read');
  sandbox
    .command('serve')
    .description('serve sandbox sessions over HTTP; a second supervisor stands by and takes over where the first dies')
    .requiredOption('--port <port>', 'port to listen on', wholeNumber(1, 65_535))
    .option('--host <address>', 'address to bind', '127.0.0.1')
    .option('--isolation <level>', 'namespaces, or none where the host cannot isolate', isolationOf, 'namespaces')
    .option('--max-sessions <count>', 'sessions that may be open at one time', wholeNumber(1), 512)
    .option('--prepared <count>', 'sessions to keep forked ahead', wholeNumber(0), 8)
    .action(async ({ host, ...options }) =>
      superviseSandbox(main, { ...options, hostname: host, python: await pythonOf() }),
    );
  sandbox
    .command('supervisor', { hidden: true })
    .description('one supervisor of "serve", told by its parent when to listen')
    .requiredOption('--settings <json>')
    .action(({ settings }: { settings: string }) => serveSandbox(JSON.parse(settings)));
  sandbox
    .command('exec <file>')
    .description('run one file of Python in a session of its own')
    .option('--image <path...>', 'input images; the first is input_image')
    .option('--isolation <level>', 'namespaces, or none where the host cannot isolate', isolationOf, 'namespaces')
    .option('--seconds <seconds>', 'limit of wall time', secondsOf, 15)
    .option('--output <folder>', 'where returned images are written', '.')
    .option('--json', 'print the typed result instead')
    .action(exec);
  sandbox
    .command('doctor')
    .description('what isolation this host gives, each wall tried')
    .option('--isolation <level>', 'namespaces, or none', isolationOf, 'namespaces')
    .option('--json', 'print the findings as JSON')
    .action(doctor);
};
