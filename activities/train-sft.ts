import { join } from 'node:path';
import type { ArtifactRef } from '../domain/artifact.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import type { SftConfig } from '../domain/trainer-config.ts';
import { dataFile } from './data-files.ts';
import type { Host } from './host.ts';
import { readSpec } from './read-run.ts';
import { stageKey } from './stage-key.ts';
import { trainModel } from './train-model.ts';
import { reportFiles } from './trainer-command.ts';

/** Key of the stage `sft`. */
export const sftKey = (spec: RunSpec, base: ArtifactRef, data: ArtifactRef): string => {
  const { threads: _, ...settings } = spec.sft;
  const inputs = { base: base.digest, data: data.digest };
  return stageKey('sft', { ...settings, seed: spec.seed, device: spec.device }, inputs);
};

/** The SFT cold start: a program on TRL that continues from its newest complete checkpoint. */
export const trainSft =
  (host: Host) =>
  async (run: RunRef, base: ArtifactRef, data: ArtifactRef): Promise<StageResult> => {
    const spec = await readSpec(run);
    const { threads, ...settings } = spec.sft;
    return trainModel(host, {
      run,
      stage: 'sft',
      program: 'sft',
      key: sftKey(spec, base, data),
      outputDir: join(run.dir, 'sft'),
      threads,
      stallSeconds: spec.limits.stallSeconds,
      patienceSeconds: spec.limits.raySeconds,
      microBatch: { size: settings.microBatchSize, divides: settings.batchSize },
      config: (attempt, resumeFrom) =>
        ({
          program: 'sft',
          run: run.run,
          seed: spec.seed,
          threads,
          device: spec.device,
          ...reportFiles(attempt),
          outputDir: join(run.dir, 'sft'),
          resumeFrom,
          ...settings,
          model: base.path,
          dataset: dataFile(data, 'sft'),
        }) satisfies SftConfig,
    });
  };
