import type { ArtifactRef } from '../domain/artifact.ts';
import type { KeyParts } from '../domain/key-parts.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import type { SftConfig } from '../domain/trainer-config.ts';
import { dataFile } from './data-files.ts';
import type { Host } from './host.ts';
import { readSpec } from './read-run.ts';
import { keyOf, keyParts } from './stage-key.ts';
import { openOutput } from './stage-outputs.ts';
import { trainModel } from './train-model.ts';
import { reportFiles } from './trainer-command.ts';

/** What the key of the stage `sft` is made of. */
export const sftParts = (spec: RunSpec, base: ArtifactRef, data: ArtifactRef): KeyParts => {
  const { threads: _, ...settings } = spec.sft;
  const inputs = { base: base.digest, data: data.digest };
  return keyParts('sft', { ...settings, seed: spec.seed, device: spec.device }, inputs);
};

/** Key of the stage `sft`. */
export const sftKey = (...of: Parameters<typeof sftParts>): string => keyOf(sftParts(...of));

/** The SFT cold start: a program on TRL that continues from its newest complete checkpoint. */
export const trainSft =
  (host: Host) =>
  async (run: RunRef, base: ArtifactRef, data: ArtifactRef): Promise<StageResult> => {
    const spec = await readSpec(run);
    const { threads, ...settings } = spec.sft;
    const output = await openOutput(run, 'sft', sftParts(spec, base, data));
    return trainModel(host, {
      run,
      stage: 'sft',
      program: 'sft',
      key: output.key,
      outputDir: output.dir,
      threads,
      stallSeconds: spec.limits.stallSeconds,
      patienceSeconds: spec.limits.raySeconds,
      microBatch: { size: settings.microBatchSize, divides: settings.batchSize },
      care: { spec, gpus: spec.gpus.sft, ...settings, evaluated: false, model: base.path },
      config: (attempt, resumeFrom) =>
        ({
          program: 'sft',
          run: run.run,
          seed: spec.seed,
          threads,
          device: spec.device,
          ...reportFiles(attempt),
          outputDir: output.dir,
          resumeFrom,
          ...settings,
          model: base.path,
          dataset: dataFile(data, 'sft'),
        }) satisfies SftConfig,
    });
  };
