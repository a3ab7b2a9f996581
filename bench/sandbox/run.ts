import { fileURLToPath } from 'node:url';
import { openSandbox } from '../../sandbox/open-sandbox.ts';

const [python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url)), rounds = '50'] =
  process.argv.slice(2);

const quantile = (values: readonly number[], share: number): number =>
  values.toSorted((one, other) => one - other)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

const report = (name: string, values: readonly number[]): void => {
  const [half, most] = [quantile(values, 0.5), quantile(values, 0.95)];
  process.stdout.write(
    `${name.padEnd(36)} p50 ${half.toFixed(1)} ms   p95 ${most.toFixed(1)} ms   n ${values.length}\n`,
  );
};

/** Milliseconds that an action takes. */
const timed = async (action: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await action();
  return performance.now() - start;
};

const start = performance.now();
const sandbox = await openSandbox({ python });
report('start of the sandbox', [performance.now() - start]);
const fresh: number[] = [];
const warm: number[] = [];
const failed: number[] = [];
const shown: number[] = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const begin = performance.now();
  const session = await sandbox.createSession({});
  await session.execute({ code: 'print(1)' });
  fresh.push(performance.now() - begin);
  warm.push(await timed(() => session.execute({ code: 'x = 1\nprint(x)' })));
  failed.push(await timed(() => session.execute({ code: '1 / 0' })));
  shown.push(await timed(() => session.execute({ code: 'Image.new("RGB", (256, 256))' })));
  await session.close();
}
report('new session to first result', fresh);
report('warm call', warm);
report('call that fails, with its rollback', failed);
report('call that shows 256 x 256 pixels', shown);
await sandbox.close();
