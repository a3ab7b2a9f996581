import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ExecutionResult } from '../../../domain/sandbox.ts';
import type { Session } from '../../../sandbox/open-sandbox.ts';
import { type Baseline, expectContained, expectNothingLeft, expectSoundResult, takeBaseline } from './containment.ts';
import { type Probe, prelude, typed } from './probe.ts';
import { openWorld, type World } from './world.ts';

const runProbe = async (world: World, session: Session, probe: Probe): Promise<ExecutionResult> => {
  const code = typeof probe.code === 'string' ? probe.code : await probe.code(world);
  const ended = new AbortController();
  const meanwhile = probe.meanwhile?.(world, ended.signal);
  try {
    return await session.execute({ code: prelude + code });
  } finally {
    ended.abort();
    await meanwhile;
  }
};

/** The call after a probe has a typed outcome, and where that was a refusal the one after it works. */
const expectFurtherCalls = async (session: Session, spoilt: boolean): Promise<void> => {
  const code = 'print("after")';
  const next = await session.execute({ code });
  expect(typed, JSON.stringify(next.error)).toContain(next.outcome);
  if (spoilt) {
    expect(typed).toContain((await session.execute({ code })).outcome);
    return;
  }
  const last = next.outcome === 'ok' ? next : await session.execute({ code });
  expect(last).toMatchObject({ outcome: 'ok', stdout: 'after\n' });
};

/** One test for each probe: it runs in a session of its own, and the host is looked at before and after. */
export const runProbes = (probes: readonly Probe[]): void => {
  let world: World | undefined;
  let baseline: Baseline | undefined;
  beforeAll(async () => {
    world = await openWorld();
    baseline = await takeBaseline(world);
  });
  afterAll(() => world?.close());

  for (const probe of probes) {
    test(probe.name, { timeout: 120_000 }, async () => {
      if (!world || !baseline) throw new Error('the world is open only while tests run');
      const session = await world.sandbox.createSession(probe.session ?? {});
      try {
        const result = await runProbe(world, session, probe);
        expect(probe.outcomes ?? typed, JSON.stringify(result).slice(0, 2000)).toContain(result.outcome);
        await expectSoundResult(world, result);
        if (probe.prints) expect(result.stdout, result.error?.traceback).toMatch(probe.prints);
        await probe.afterwards?.(world, result);
        await expectContained(world, baseline);
        await expectFurtherCalls(session, probe.spoils ?? false);
      } finally {
        await session.close();
      }
      await expectNothingLeft(world, baseline);
      await expectContained(world, baseline);
    });
  }
};
