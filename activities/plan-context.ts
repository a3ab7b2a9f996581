import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageName } from '../domain/stage.ts';
import type { Host } from './host.ts';

/** What a plan is made for: the stages that are wanted anew each have a mark of their repetition. */
export interface PlanContext {
  readonly host: Host;
  readonly run: Pick<RunRef, 'dir'>;
  readonly spec: RunSpec;
  readonly anew: Partial<Record<StageName, string>>;
}
