import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CancelledFailure, Context } from '@temporalio/activity';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import type { Host } from '../../activities/host.ts';
import type { HostActivities } from '../../activities/index.ts';
import { openRun } from '../../activities/open-run.ts';
import { planRun } from '../../activities/plan-run.ts';
import { dataParts } from '../../activities/prepare-data.ts';
import { readSpec } from '../../activities/read-run.ts';
import { openOutput } from '../../activities/stage-outputs.ts';
import { teardownRun } from '../../activities/teardown-run.ts';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { findProcesses } from '../../processes/find-processes.ts';
import { launch } from '../../processes/launch.ts';
import { testHost, testRun } from '../activities/test-host.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { pipelineEnvironment } from '../workflows/pipeline-environment.ts';
import { scriptedHost } from '../workflows/scripted-host.ts';

const main = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));
const { temporal, withHost, start } = pipelineEnvironment();

const lensmith = async (host: Host, ...args: string[]) =>
  execa(process.execPath, [main, ...args], {
    reject: false,
    timeout: 60_000,
    stdin: 'ignore',
    env: {
      LENSMITH_HOME: host.home,
      LENSMITH_PYTHON: host.python,
      TEMPORAL_ADDRESS: temporal().address,
      COLUMNS: '200',
    },
  });

/** One line a stage, without the frame. */
const rows = (stdout: string): string[] =>
  stdout
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) => line.replaceAll('│', '').replaceAll(/\s+/g, ' ').trim());

/** A host whose folder is real and whose stages are not; SFT runs a program until it is told to end, the first time. */
const heldHost = (host: Host) => {
  const scripted = scriptedHost();
  const { calls } = scripted;
  let begun = 0;
  const activities: HostActivities = {
    ...scripted.activities,
    openRun: openRun(host),
    planRun: planRun(host),
    teardownRun: teardownRun(host),
    trainSft: async (run, base, data) => {
      begun += 1;
      if (begun > 1) return scripted.activities.trainSft(run, base, data);
      const dir = join(run.dir, 'program');
      await launch({ id: `${run.run}/sft/1`, runId: run.run, command: ['sleep', '300'], cwd: '/', dir });
      calls.push('sft begins');
      for (;;) {
        Context.current().heartbeat();
        await Promise.race([Context.current().sleep(50), Context.current().cancelled]);
        if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('cancelled');
      }
    },
  };
  return { activities, calls };
};

test('the plan of a run that is over says what each stage would do, and which part of its key has changed', async () => {
  const host = await testHost();
  const run = await testRun(host);
  const spec = await readSpec(run);
  await openOutput(run, 'prepare-data', await dataParts(spec, await loadProtocol(spec.protocol)));
  const { stdout, exitCode } = await lensmith(host, 'resume', run.run, '--dry-run', '--set', 'data.captions=50');
  expect(exitCode).toBe(0);
  expect(stdout).toContain(`${run.run} is over and would go on like this:`);
  expect(rows(stdout).slice(0, 4)).toEqual([
    'stage action why',
    'prepare-data run data.captions 40 → 50',
    'base-model run its input prepare-data is made anew',
    'sft run its input prepare-data is made anew',
  ]);
  const same = await lensmith(host, 'resume', run.run, '--dry-run');
  expect(rows(same.stdout)[1]).toBe('prepare-data run it was begun, and left nothing to go on from');
  const anew = await lensmith(host, 'resume', run.run, '--dry-run', '--from', 'prepare-data');
  expect(rows(anew.stdout)[1]).toBe('prepare-data run it was asked for anew');
});

test('a wrong stage, key or value is named with what was probably meant, and nothing is started', async () => {
  const host = await testHost();
  const { run } = await testRun(host);
  for (const [args, message] of [
    [['--from', 'stf'], '--from: there is no stage "stf"; did you mean "sft"?'],
    [['--set', 'rl.lerningRate=1'], 'rl.lerningRate: unknown key; did you mean "learningRate"?'],
    [['--set', 'rl.steps=many'], 'rl.steps: '],
    [['--set', 'run=other'], `lensmith clone ${run} --name NEW`],
    [[], 'nobody can be asked here; give --yes'],
  ] as const) {
    const { exitCode, stderr } = await lensmith(host, 'resume', run, ...args);
    expect(exitCode).toBe(2);
    expect(stderr).toContain(message);
  }
});

test('a run is paused, holds no process, refuses a second resume, and goes on', async () => {
  const host = await testHost();
  const { activities, calls } = heldHost(host);
  const name = `held-${process.pid}`;
  await withHost(name, activities, async () => {
    const handle = await start(name, miniatureSpec({ run: name, host: name }));
    await expect.poll(() => calls, { timeout: 20_000 }).toContain('sft begins');

    const busy = await lensmith(host, 'resume', name, '--yes');
    expect(busy).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('is under way, in sft') });
    expect(findProcesses({ runId: name })).not.toEqual([]);

    const paused = await lensmith(host, 'pause', name);
    expect(paused.stdout).toContain(
      `${name} is paused and holds no process and no lease; it goes on with prepare-data`,
    );
    expect(findProcesses({ runId: name })).toEqual([]);
    const watched = await lensmith(host, 'status');
    expect(watched.exitCode).toBe(0);

    const shown = await lensmith(host, 'resume', name, '--dry-run');
    expect(shown.stdout).toContain(`${name} is paused and would go on like this:`);
    const resumed = await lensmith(host, 'resume', name, '--yes');
    expect(resumed).toMatchObject({ exitCode: 0, stdout: expect.stringContaining(`${name} goes on`) });
    expect(await handle.result()).toMatchObject({ run: name, decision: 'promoted' });

    const late = await lensmith(host, 'pause', name);
    expect(late).toMatchObject({ exitCode: 2, stderr: expect.stringContaining(`lensmith resume ${name}`) });
  });
});

test('a run that waits for a host which is not there is not said to go on', async () => {
  const host = await testHost();
  const { activities, calls } = heldHost(host);
  await withHost('absent', activities, async () => {
    const handle = await start('absent', miniatureSpec({ run: 'absent', host: 'absent' }));
    await expect.poll(() => calls, { timeout: 20_000 }).toContain('sft begins');
    await lensmith(host, 'pause', 'absent');
    const { stdout, exitCode } = await lensmith(host, 'resume', 'absent', '--set', 'host=nowhere', '--yes');
    expect(stdout).toContain('absent is told to go on, and waits for its host "nowhere"');
    expect(stdout).not.toContain('goes on;');
    expect(exitCode).toBe(0);
    await handle.cancel();
    await expect(handle.result()).rejects.toThrow();
  });
}, 120_000);

test('a clone is a new run with the spec of the old one, and says so', async () => {
  const host = await testHost();
  const old = await testRun(host, { host: `cloning-${process.pid}` });
  const { activities } = scriptedHost({ openRun: openRun(host), planRun: planRun(host) });
  const name = `${old.run}-again`;
  await withHost(`cloning-${process.pid}`, activities, async () => {
    const { stdout, exitCode } = await lensmith(host, 'clone', old.run, '--name', name, '--set', 'seed=7', '--yes');
    expect(exitCode).toBe(0);
    expect(stdout).toContain(`${name}, a clone of ${old.run}, would run like this:`);
    await temporal().client.workflow.getHandle(`train/${name}`).result();
  });
  const file = JSON.parse(await readFile(join(host.home, 'runs', name, 'run.json'), 'utf8'));
  expect(file).toMatchObject({
    run: name,
    spec: { seed: 7, name: 'test', existing: 'refuse' },
    clonedFrom: { run: old.run, execution: 'first', set: ['seed=7'] },
  });
  const again = await lensmith(host, 'clone', old.run, '--name', name, '--yes');
  expect(again).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('has a folder already') });
});

test('a run that is over begins again under its own id, from the stage that is asked for', async () => {
  const host = await testHost();
  const old = await testRun(host, { host: `again-${process.pid}` });
  const { activities } = scriptedHost({ openRun: openRun(host), planRun: planRun(host) });
  await withHost(`again-${process.pid}`, activities, async () => {
    const { stdout } = await lensmith(host, 'resume', old.run, '--from', 'rl', '--yes');
    expect(stdout).toContain(`run ${old.run} is under way`);
    await temporal().client.workflow.getHandle(old.workflowId).result();
  });
  const file = JSON.parse(await readFile(join(old.dir, 'run.json'), 'utf8'));
  expect(Object.keys(file.anew)).toEqual(['rl', 'evaluate-checkpoints', 'benchmark-suite', 'promote', 'report']);
});
