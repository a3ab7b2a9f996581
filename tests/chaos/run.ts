import { appendFile, cp, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { differences, faultsOfRun } from './check-run.ts';
import { countCells, coverageTable, missedInWords, notCovered } from './coverage.ts';
import { dealRun } from './deal-run.ts';
import { type DisturbedRun, readSummary, runUnderFaults } from './disturbed-run.ts';
import { type Fault, faultKinds } from './fault.ts';
import { enterNamespace, isInNamespace } from './ground.ts';
import { lensmith, type OpenStack, openStack } from './open-stack.ts';
import { type Plan, planFaults, planInWords } from './plan-faults.ts';
import { changesFor, sizesFor } from './sizes.ts';
import { faultTable } from './table.ts';

const { values } = parseArgs({
  options: {
    faults: { type: 'string' },
    seed: { type: 'string', default: '1' },
    kinds: { type: 'string', default: faultKinds.join(',') },
    components: { type: 'string', default: '' },
    only: { type: 'string', multiple: true },
    set: { type: 'string', multiple: true },
    plan: { type: 'boolean', default: false },
    minutes: { type: 'string', default: '240' },
    json: { type: 'string' },
    keep: { type: 'string' },
    table: { type: 'string', multiple: true },
  },
});

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const say = (line: string): void => write(`${new Date().toISOString().slice(11, 19)} ${line}`);

/** A run on a machine that others keep busy takes several times as long as on a free one. */
const limitMs = 3_600_000;

/** A fault that came too late so often is given up. */
const mostMisses = 2;

interface Checked extends DisturbedRun {
  readonly wrong: readonly string[];
}

const conclude = (runs: readonly Checked[], others: readonly string[] = []): void => {
  const faults = runs.flatMap((run) => run.faults);
  const met = faults.filter((fault) => fault.met).length;
  const wrong = [...runs.flatMap((run) => run.wrong.map((what) => `${run.run}: ${what}`)), ...others];
  const kinds = faultKinds.filter((kind) => faults.some((fault) => fault.kind === kind));
  const cells = countCells(faults, kinds);
  write(`\n${faultTable(faults)}\n\n${coverageTable(faults, kinds)}\n`);
  for (const what of notCovered(faults, kinds)) write(`not met: ${missedInWords(what)}`);
  write(`${cells.met} of ${cells.all} faults that differ in component, stage or kind were met`);
  for (const what of wrong) write(`WRONG ${what}`);
  write(`${met} faults met in ${runs.length} runs, ${wrong.length} wrong`);
  process.exitCode = wrong.length > 0 || met === 0 ? 1 : 0;
};

/** The same checkpoints once more, with nothing in the way. */
const compare = async (stack: OpenStack, { run, dir, summary }: DisturbedRun): Promise<string[]> => {
  if (!summary) return [];
  const again = await lensmith(stack, ['resume', run, '--from', 'benchmark-suite', '--yes', '--follow']);
  const calm = again.failed ? null : await readSummary(dir);
  return calm
    ? differences(summary, calm, ['base', 'sft', 'rl'])
    : [`its benchmark could not be run again: ${again.stderr}`];
};

/** The disk of the runs is small. What went wrong can be looked at in the folder of `--keep`. */
const clear = async ({ home }: OpenStack, { run, dir, wrong }: Checked): Promise<void> => {
  if (values.keep && wrong.length > 0) {
    await cp(dir, join(values.keep, run), { recursive: true });
    await cp(join(home, 'stack'), join(values.keep, `${run}-stack`), { recursive: true });
  }
  await rm(dir, { recursive: true, force: true });
};

const disturbRuns = async (stack: OpenStack, { faults, count }: Plan, deadline: number): Promise<Checked[]> => {
  const done: Checked[] = [];
  let open = [...faults];
  let wanted = count;
  const misses = new Map<Fault, number>();
  while (wanted > 0 && open.length > 0 && Date.now() < deadline) {
    const { run: faults, rest } = dealRun(open.slice(0, wanted));
    const run = `chaos-${done.length + 1}`;
    // Another seed has nothing in the cache.
    const seed = 100 * Number(values.seed) + done.length;
    const changes = [...changesFor(faults), ...(values.set ?? [])];
    const disturbed = await runUnderFaults(stack, { run, seed, faults, changes, limitMs, say });
    const wrong = await faultsOfRun(stack, disturbed, sizesFor(faults));
    wrong.push(...(await compare(stack, disturbed)));
    say(`${run}: ${disturbed.status} after ${disturbed.seconds} s, ${wrong.length} wrong`);
    for (const what of wrong) say(`WRONG ${run}: ${what}`);
    const checked = { ...disturbed, wrong };
    done.push(checked);
    if (values.json) await appendFile(values.json, `${JSON.stringify(checked)}\n`);
    await clear(stack, checked);
    // What came too late is tried again, before all others.
    const late = faults.filter(
      (fault, index) => !disturbed.faults[index]?.met && (misses.get(fault) ?? 0) < mostMisses,
    );
    for (const fault of late) misses.set(fault, (misses.get(fault) ?? 0) + 1);
    open = [...late, ...rest, ...open.slice(wanted)];
    wanted -= disturbed.faults.filter(({ met }) => met).length;
  }
  return done;
};

const disturb = async (): Promise<void> => {
  const kinds = faultKinds.filter((kind) => values.kinds.split(',').includes(kind));
  const here = isInNamespace() ? kinds : kinds.filter((kind) => kind !== 'partition' && kind !== 'fill');
  if (here.length < kinds.length) say('no namespaces here, so nothing is cut off and no disk is filled');
  const plan = planFaults({
    kinds: here,
    seed: Number(values.seed),
    ...(values.faults === undefined ? {} : { count: Number(values.faults) }),
    ...(values.components === '' ? {} : { names: values.components.split(',') }),
    ...(values.only === undefined ? {} : { only: values.only }),
  });
  if (values.plan) {
    write(planInWords(plan, here));
    return;
  }
  const deadline = Date.now() + 60_000 * Number(values.minutes);
  const stack = await openStack();
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void stack.close().finally(() => process.exit(1)));
  let runs: Checked[] = [];
  let left: string[] = [];
  try {
    runs = await disturbRuns(stack, plan, deadline);
  } finally {
    left = (await stack.close()).map((what) => `the stack: ${what}`);
  }
  conclude(runs, left);
};

const readRuns = async (file: string): Promise<Checked[]> =>
  (await readFile(file, 'utf8'))
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

if (values.table) conclude((await Promise.all(values.table.map(readRuns))).flat());
else {
  const code = await enterNamespace();
  if (code === undefined) await disturb();
  else process.exitCode = code;
}
