import { join } from 'node:path';
import type { ArtifactRef } from '../domain/artifact.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import type { RlConfig } from '../domain/trainer-config.ts';
import { type LoadedProtocol, loadProtocol } from '../episodes/load-protocol.ts';
import { dataFile } from './data-files.ts';
import type { Host } from './host.ts';
import { rayLauncher } from './ray-launcher.ts';
import { readSpec } from './read-run.ts';
import { stageKey } from './stage-key.ts';
import { trainModel } from './train-model.ts';
import { reportFiles } from './trainer-command.ts';

/** Folder that receives the checkpoints of RL. */
export const rlFolder = (run: Pick<RunRef, 'dir'>): string => join(run.dir, 'checkpoints');

/** Key of the stage `rl`. */
export const rlKey = (spec: RunSpec, protocol: LoadedProtocol, sft: ArtifactRef, data: ArtifactRef): string => {
  const { threads: _, ...settings } = spec.rl;
  const inputs = { sft: sft.digest, data: data.digest, protocol: protocol.ref.digest };
  return stageKey('rl', { ...settings, seed: spec.seed, device: spec.device }, inputs);
};

/** RL with the code tool in the loop, as a job of Ray. */
export const trainRl =
  (host: Host) =>
  async (run: RunRef, sft: ArtifactRef, data: ArtifactRef): Promise<StageResult> => {
    const spec = await readSpec(run);
    const protocol = await loadProtocol(spec.protocol);
    const { threads, ...settings } = spec.rl;
    return trainModel(host, {
      run,
      stage: 'rl',
      program: 'rl',
      key: rlKey(spec, protocol, sft, data),
      outputDir: rlFolder(run),
      threads,
      stallSeconds: spec.limits.stallSeconds,
      patienceSeconds: spec.limits.raySeconds,
      microBatch: { size: settings.microBatchSize, divides: null },
      launcher: rayLauncher(host, run, 'rl', spec.gpus.rl),
      config: (attempt, resumeFrom) =>
        ({
          program: 'rl',
          run: run.run,
          seed: spec.seed,
          threads,
          device: spec.device,
          ...reportFiles(attempt),
          outputDir: rlFolder(run),
          resumeFrom,
          ...settings,
          model: sft.path,
          dataset: dataFile(data, 'rl'),
          protocolFile: protocol.file,
          toolServer: host.toolServer,
        }) satisfies RlConfig,
    });
  };
