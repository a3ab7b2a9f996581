import { listen } from '../../sandbox/listen.ts';
import { openSandbox } from '../../sandbox/open-sandbox.ts';
import { sandboxApi } from '../../sandbox/sandbox-api.ts';
import { python } from './python.ts';

/** A supervisor with its HTTP door in a process of its own, for tests that kill it. It prints its port. */
const sandbox = await openSandbox({ python });
const { port } = await listen(sandboxApi(sandbox), { port: 0, hostname: '127.0.0.1' });
process.stdout.write(`${port}\n`);
