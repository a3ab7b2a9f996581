import type { WorkerOptions } from '@temporalio/worker';
import { LensmithError } from '../domain/errors.ts';

/** Name of the deployment that the workers of the workflows belong to. */
export const deploymentName = 'lensmith';

const valid = /^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,127}$/;

/**
 * What makes a worker one of a build, by `LENSMITH_BUILD_ID`; nothing without it. Runs move on to the build that is
 * current: workflows only change in ways that the histories of running ones allow.
 *
 * @throws LensmithError `config` for what Temporal does not take as a build id
 */
export const versioningOf = (env: NodeJS.ProcessEnv): Pick<WorkerOptions, 'workerDeploymentOptions'> => {
  const buildId = env.LENSMITH_BUILD_ID;
  if (!buildId) return {};
  if (!valid.test(buildId)) {
    throw new LensmithError('config', `expected letters, digits, ".", "_" and "-", at most 128, got "${buildId}"`, {
      where: 'LENSMITH_BUILD_ID',
    });
  }
  return {
    workerDeploymentOptions: {
      useWorkerVersioning: true,
      version: { deploymentName, buildId },
      defaultVersioningBehavior: 'AUTO_UPGRADE',
    },
  };
};
