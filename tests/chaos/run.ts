import { appendFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { differences, faultsOfRun } from './check-run.ts';
import { type DisturbedRun, lensmith, readSummary, runUnderFaults } from './disturbed-run.ts';
import { drawFaults, type FaultKind } from './draw-faults.ts';
import { openStack } from './open-stack.ts';
import { chaosChanges, chaosSizes } from './sizes.ts';
import { faultTable } from './table.ts';

const { values } = parseArgs({
  options: {
    faults: { type: 'string', default: '60' },
    seed: { type: 'string', default: '1' },
    kinds: { type: 'string', default: 'kill,pause,hang' },
    json: { type: 'string' },
  },
});
const kinds = values.kinds.split(',').filter((kind): kind is FaultKind => ['kill', 'pause', 'hang'].includes(kind));
const plan = drawFaults(Number(values.faults), Number(values.seed), kinds);
const say = (line: string): void => {
  process.stdout.write(`${new Date().toISOString().slice(11, 19)} ${line}\n`);
};

const stack = await openStack();
const done: DisturbedRun[] = [];
const wrong: string[] = [];
const complain = (run: string, faults: readonly string[]): void => {
  for (const fault of faults) {
    wrong.push(`${run}: ${fault}`);
    say(`WRONG ${run}: ${fault}`);
  }
};
try {
  for (const [index, faults] of plan.entries()) {
    const run = `chaos-${index + 1}`;
    // Another seed has nothing in the cache.
    const seed = 100 * Number(values.seed) + index;
    const disturbed = await runUnderFaults(stack, { run, seed, faults, changes: chaosChanges, limitMs: 900_000, say });
    done.push(disturbed);
    say(`${run}: ${disturbed.status} after ${disturbed.seconds} s`);
    if (values.json) await appendFile(values.json, `${JSON.stringify(disturbed)}\n`);
    complain(run, await faultsOfRun(disturbed, chaosSizes));
    if (!disturbed.summary) continue;
    // The same checkpoints once more, with nothing in the way.
    const again = await lensmith(stack, ['resume', run, '--from', 'benchmark-suite', '--yes', '--follow']);
    const calm = again.failed ? null : await readSummary(disturbed.dir);
    if (calm) complain(run, differences(disturbed.summary, calm, ['base', 'sft', 'rl']));
    else complain(run, [`its benchmark could not be run again: ${again.stderr}`]);
  }
} finally {
  complain('the stack', await stack.close());
}
const faults = done.flatMap((run) => run.faults);
process.stdout.write(`\n${faultTable(faults)}\n`);
const met = faults.filter((fault) => fault.met).length;
process.stdout.write(`\n${met} faults met of ${faults.length} drawn, ${done.length} runs, ${wrong.length} wrong\n`);
process.exitCode = wrong.length > 0 || met === 0 ? 1 : 0;
