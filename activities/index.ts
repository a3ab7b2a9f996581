import { awaitCheckpoint, listRlCheckpoints } from './await-checkpoint.ts';
import { awaitRay } from './await-ray.ts';
import { closeNightly } from './close-nightly.ts';
import { evaluateModel, findEvaluation } from './evaluate-model.ts';
import { withTypedFailures } from './failures.ts';
import { findTrained } from './find-trained.ts';
import type { Host } from './host.ts';
import { isFullyCached } from './is-fully-cached.ts';
import { launchModelServer, resolveJudge, stopModelServer, superviseModelServer } from './model-server.ts';
import { notify } from './notify.ts';
import { openNightly } from './open-nightly.ts';
import { openRun } from './open-run.ts';
import { clearPause, markPause } from './pause-mark.ts';
import { planRun } from './plan-run.ts';
import { prepareData } from './prepare-data.ts';
import { promote } from './promote.ts';
import { launchRayNode, stopRayNode, superviseRayNode } from './ray-node.ts';
import { settleCheckpoint } from './settle-checkpoint.ts';
import type { SharedSandbox } from './shared-sandbox.ts';
import { teardownRun } from './teardown-run.ts';
import { trainBaseModel } from './train-base-model.ts';
import { trainRl } from './train-rl.ts';
import { trainSft } from './train-sft.ts';
import { withBeats } from './with-beats.ts';
import { writeReport } from './write-report.ts';

/** The activities of a host's queue, `lensmith-host-<name>`. */
export const createHostActivities = (host: Host, sandbox: SharedSandbox) =>
  withTypedFailures({
    // What follows a program or a server beats by itself, with its progress.
    prepareData: prepareData(host, sandbox),
    trainBaseModel: trainBaseModel(host),
    trainSft: trainSft(host),
    launchModelServer: launchModelServer(host),
    superviseModelServer: superviseModelServer(host),
    launchRayNode: launchRayNode(host),
    superviseRayNode: superviseRayNode(host),
    awaitRay: awaitRay(host),
    trainRl: trainRl(host),
    awaitCheckpoint: awaitCheckpoint(),
    evaluateModel: evaluateModel(host, sandbox),
    notify: notify(),
    ...withBeats({
      openRun: openRun(host),
      planRun: planRun(host),
      resolveJudge: resolveJudge(host),
      stopModelServer: stopModelServer(host),
      stopRayNode: stopRayNode(host),
      listRlCheckpoints: listRlCheckpoints(),
      settleCheckpoint: settleCheckpoint(host),
      isFullyCached: isFullyCached(host),
      findEvaluation: findEvaluation(host),
      findTrained: findTrained(host),
      promote: promote(host),
      writeReport: writeReport(),
      openNightly: openNightly(host),
      closeNightly: closeNightly(host),
      teardownRun: teardownRun(host),
      markPause: markPause(),
      clearPause: clearPause(),
    }),
  });

export type HostActivities = ReturnType<typeof createHostActivities>;
