import type { ArtifactRef } from '../domain/artifact.ts';
import type { KeyParts } from '../domain/key-parts.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import type { RlConfig } from '../domain/trainer-config.ts';
import { type LoadedProtocol, loadProtocol } from '../episodes/load-protocol.ts';
import { scoringVersion } from '../scoring/grade-episode.ts';
import { rewards } from '../scoring/rewards/rewards.ts';
import { dataFile } from './data-files.ts';
import { whileAsking } from './gpu-hours-server.ts';
import type { Host } from './host.ts';
import { atRayOf } from './ray-cluster.ts';
import { rayLauncher } from './ray-launcher.ts';
import { readSpec } from './read-run.ts';
import { recordRewardJudge } from './reward-judge.ts';
import { assertJudgeKeys, rewardJudgeIds } from './stage-judge.ts';
import { keyOf, keyParts } from './stage-key.ts';
import { openOutput } from './stage-outputs.ts';
import { trainModel } from './train-model.ts';
import { reportFiles } from './trainer-command.ts';

/** What the key of the stage `rl` is made of; `judges` are the ids of those that decide rewards where the rules cannot. */
export const rlParts = (
  spec: RunSpec,
  protocol: LoadedProtocol,
  sft: ArtifactRef,
  data: ArtifactRef,
  judges: readonly string[],
): KeyParts => {
  const { threads: _, ...settings } = spec.rl;
  const inputs = { sft: sft.digest, data: data.digest, protocol: protocol.ref.digest };
  const judging = { scoring: scoringVersion, judges, audit: judges.length === 0 ? undefined : spec.judge.audit };
  return keyParts('rl', { ...settings, ...judging, prompt: spec.prompt, seed: spec.seed, device: spec.device }, inputs);
};

/** Key of the stage `rl`. */
export const rlKey = (...of: Parameters<typeof rlParts>): string => keyOf(rlParts(...of));

/** RL with the code tool in the loop, as a job of Ray. */
export const trainRl =
  (host: Host) =>
  async (run: RunRef, sft: ArtifactRef, data: ArtifactRef): Promise<StageResult> => {
    const spec = await readSpec(run);
    const protocol = await loadProtocol(spec.protocol);
    const { threads, openAnswers: _, ...settings } = spec.rl;
    const judges = await rewardJudgeIds(host, spec);
    const rayHost = await atRayOf(host, run);
    const output = await openOutput(run, 'rl', rlParts(spec, protocol, sft, data, judges));
    const train = () =>
      trainModel(host, {
        run,
        stage: 'rl',
        program: 'rl',
        key: output.key,
        outputDir: output.dir,
        threads,
        stallSeconds: spec.limits.stallSeconds,
        patienceSeconds: spec.limits.raySeconds,
        microBatch: { size: settings.microBatchSize, divides: null },
        launcher: rayLauncher(rayHost, run, 'rl', spec.gpus.rl),
        care: { spec, gpus: spec.gpus.rl, ...settings, evaluated: true, model: sft.path },
        config: (attempt, resumeFrom) => {
          if (judges.length > 0) assertJudgeKeys(spec);
          return {
            program: 'rl',
            run: run.run,
            seed: spec.seed,
            threads,
            device: spec.device,
            ...reportFiles(attempt),
            outputDir: output.dir,
            resumeFrom,
            ...settings,
            model: sft.path,
            dataset: dataFile(data, 'rl'),
            protocolFile: protocol.file,
            toolServer: host.toolServer,
            judged: judges.length > 0,
            scoredImages: rewards[settings.reward].usesPixels !== undefined,
            prompt: spec.prompt,
          } satisfies RlConfig;
        },
      });
    const servers = judges.length > 0 ? ['serve-judge'] : [];
    const result = await whileAsking(run, `rl ${Date.now()}`, servers, train);
    if (result.state === 'completed') await recordRewardJudge(host, run, spec);
    return result;
  };
