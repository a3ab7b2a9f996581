import type { ArtifactRef } from '../domain/artifact.ts';
import type { KeyParts } from '../domain/key-parts.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import type { BaseModelConfig } from '../domain/trainer-config.ts';
import { dataFile } from './data-files.ts';
import type { Host } from './host.ts';
import { pretrainedModel } from './pretrained-model.ts';
import { readSpec } from './read-run.ts';
import { keyOf, keyParts } from './stage-key.ts';
import { openOutput } from './stage-outputs.ts';
import { trainModel } from './train-model.ts';
import { reportFiles } from './trainer-command.ts';

/** What the key of the stage `base-model` is made of where the spec makes a base model. */
export const baseModelParts = (spec: RunSpec, data: ArtifactRef): KeyParts => {
  const { kind: _, threads: __, ...settings } = { threads: 0, ...spec.baseModel };
  return keyParts('base-model', { ...settings, seed: spec.seed, device: spec.device }, { data: data.digest });
};

/** Key of the stage `base-model` where the spec makes a base model. */
export const baseModelKey = (...of: Parameters<typeof baseModelParts>): string => keyOf(baseModelParts(...of));

/** The model that training starts from: given, or taught to see from random init where the spec says `miniature`. */
export const trainBaseModel =
  (host: Host) =>
  async (run: RunRef, data: ArtifactRef): Promise<StageResult> => {
    const spec = await readSpec(run);
    const base = spec.baseModel;
    if (base.kind === 'pretrained')
      return { state: 'cached', artifact: await pretrainedModel(base.path), attempts: 0, seconds: 0 };
    const { kind: _, threads, ...settings } = base;
    const output = await openOutput(run, 'base-model', baseModelParts(spec, data));
    return trainModel(host, {
      run,
      stage: 'base-model',
      program: 'base_model',
      key: output.key,
      outputDir: output.dir,
      threads,
      stallSeconds: spec.limits.stallSeconds,
      patienceSeconds: spec.limits.raySeconds,
      care: { spec, gpus: 0, ...settings, evaluated: false, model: null },
      config: (attempt, resumeFrom) =>
        ({
          program: 'base_model',
          run: run.run,
          seed: spec.seed,
          threads,
          device: spec.device,
          ...reportFiles(attempt),
          outputDir: output.dir,
          resumeFrom,
          ...settings,
          captions: dataFile(data, 'captions'),
          corpus: [dataFile(data, 'sft')],
        }) satisfies BaseModelConfig,
    });
  };
