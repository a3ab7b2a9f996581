import { once } from 'node:events';
import type { Command } from 'commander';
import { hostFromEnvironment } from '../../activities/host.ts';
import { createRunJudges } from '../../activities/run-judges.ts';
import { LensmithError } from '../../domain/errors.ts';
import { listen } from '../../sandbox/listen.ts';
import { openSandbox } from '../../sandbox/open-sandbox.ts';
import { sandboxApi } from '../../sandbox/sandbox-api.ts';
import { scoreApi } from '../../scoring/score-api.ts';

const serve = async (options: { port: string; host: string; isolation: string }): Promise<void> => {
  const port = Number(options.port);
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw new LensmithError('config', `expected a port from 1 to 65535, got "${options.port}"`, { where: '--port' });
  if (options.isolation !== 'namespaces' && options.isolation !== 'none')
    throw new LensmithError('config', `expected "namespaces" or "none", got "${options.isolation}"`, {
      where: '--isolation',
    });
  const host = await hostFromEnvironment();
  const sandbox = await openSandbox({ python: host.python, isolation: options.isolation, prepared: 16 });
  const stop = new AbortController();
  const judges = createRunJudges(host, stop.signal);
  const scores = scoreApi({
    judgeOfRun: async (run) => (await judges(run))?.judge,
    // Of the 300 s that the trainer waits for its scores.
    judgeSeconds: 200,
  });
  try {
    const server = await listen(sandboxApi(sandbox).route('/', scores), { port, hostname: options.host });
    process.stdout.write(`tool server at http://${options.host}:${port}, isolation ${options.isolation}\n`);
    await Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
    stop.abort();
    await server.close();
  } finally {
    stop.abort();
    await sandbox.close();
  }
};

/** Adds the command of the host's tool server: sandbox sessions and scores over HTTP, for the trainers. */
export const addToolServerCommand = (program: Command): void => {
  program
    .command('tool-server')
    .description('serve sandbox sessions and scores to the trainers of this host')
    .requiredOption('--port <port>', 'port to listen on')
    .option('--host <address>', 'address to bind', '127.0.0.1')
    .option('--isolation <level>', 'namespaces, or none where the host cannot isolate', 'namespaces')
    .action(serve);
};
