import { listen } from '../../sandbox/listen.ts';
import { openSandbox } from '../../sandbox/open-sandbox.ts';
import { sandboxApi } from '../../sandbox/sandbox-api.ts';

/** A supervisor with its HTTP door, until its standard input ends: `node serve.ts PYTHON`. It prints its port. */
const [python = ''] = process.argv.slice(2);
const sandbox = await openSandbox({ python });
const { port, close } = await listen(sandboxApi(sandbox), { port: 0, hostname: '127.0.0.1' });
process.stdout.write(`${port}\n`);
process.stdin.resume();
process.stdin.once('end', async () => {
  await close();
  await sandbox.close();
});
