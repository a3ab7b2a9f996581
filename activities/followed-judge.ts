import { setTimeout as delay } from 'node:timers/promises';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef } from '../domain/stage.ts';
import type { JudgeGrade } from '../scoring/judge/judge-client.ts';
import type { JudgeQuestion } from '../scoring/judge/judge-prompt.ts';
import type { Host } from './host.ts';
import { judgeEndpoint, type ServerEndpoint } from './model-server.ts';
import { openStageJudge, type StageJudge } from './stage-judge.ts';

const lookMs = 2000;

/** A judge at one address. */
interface Opened {
  readonly url: string;
  readonly judge: StageJudge;
  /** Ends what is being asked there. */
  readonly leave: AbortController;
}

/**
 * Opens the judges of a run for something that takes longer than the judge may stay where it is: one that lost its host is
 * served again elsewhere, and a question that waits for it then is asked there.
 *
 * @param endpoint - Where it was served when this began; null where the run has none.
 * @returns Undefined where the run has no judge at all.
 * @throws LensmithError as `openStageJudge`.
 */
export const openFollowedJudge = async (
  host: Host,
  run: Pick<RunRef, 'dir'>,
  spec: RunSpec,
  endpoint: ServerEndpoint | null,
  signal: AbortSignal,
): Promise<StageJudge | undefined> => {
  if (!endpoint) return openStageJudge(host, spec, null, signal);
  const where = async (): Promise<ServerEndpoint> => (await judgeEndpoint(run, spec).catch(() => null)) ?? endpoint;

  const open = async (at: ServerEndpoint): Promise<Opened | undefined> => {
    const leave = new AbortController();
    const judge = await openStageJudge(host, spec, at, AbortSignal.any([signal, leave.signal]));
    return judge && { url: at.url, judge, leave };
  };
  const first = await open(await where());
  if (!first) return undefined;
  let opened: Promise<Opened> = Promise.resolve(first);

  /** The judge where it is served now. */
  const current = async (): Promise<Opened> => {
    const before = opened;
    const [known, at] = await Promise.all([before, where()]);
    if (known.url === at.url) return known;
    // Of many questions that see the move the first one opens.
    if (opened === before) {
      opened = open(at).then((next) => next ?? known);
      known.leave.abort();
    }
    return opened;
  };

  const hasMoved = async ({ url }: Opened, over: AbortSignal): Promise<'moved' | undefined> => {
    while (!over.aborted) {
      if ((await where()).url !== url) return 'moved';
      await delay(lookMs, undefined, { signal: over }).catch(() => undefined);
    }
    return undefined;
  };

  const ask = async (question: JudgeQuestion): Promise<JudgeGrade> => {
    for (;;) {
      const at = await current();
      const over = new AbortController();
      const asked = at.judge.judge(question);
      const look = hasMoved(at, over.signal);
      const grade = await Promise.race([asked, look]).finally(() => over.abort());
      // What a judge could not say where it was is asked where it is.
      if (typeof grade === 'object' && (grade.verdict !== 'judge_failed' || signal.aborted)) return grade;
      if (typeof grade === 'object' && (await where()).url === at.url) return grade;
      asked.catch(() => undefined);
    }
  };
  return { id: first.judge.id, judge: ask, standing: async () => (await current()).judge.standing() };
};
