import { join } from 'node:path';
import type { RunRef } from '../domain/stage.ts';
import type { ServeConfig } from '../domain/trainer-config.ts';
import type { Attempt } from './attempts.ts';
import { addressOf, type Host } from './host.ts';
import { readSpec } from './read-run.ts';
import { reportFiles, trainerCommand } from './trainer-command.ts';

/** A model server to run: `name` tells it from the run's others. */
export interface ServerRequest {
  readonly name: string;
  /** Folder of the model, or a GGUF file. */
  readonly model: string;
  readonly modelDigest: string;
  readonly servedName: string;
  readonly role: 'policy' | 'judge';
  /** Null takes a free one. */
  readonly port: number | null;
}

/** Command line, environment and config file of a model server on a port. */
export const serverCommand = async (
  host: Host,
  run: RunRef,
  request: ServerRequest,
  attempt: Attempt,
  port: number,
) => {
  const spec = await readSpec(run);
  const judge = request.role === 'judge';
  const engine = judge ? spec.judge.engine : spec.serving.engine;
  const maxContextTokens = judge ? spec.judge.maxContextTokens : spec.rl.maxContextTokens;
  if (engine === 'vllm') {
    const gpus = judge ? spec.gpus.judge : spec.gpus.evaluation;
    return {
      config: null,
      command: [
        join(host.python, '..', 'vllm'),
        ...['serve', request.model, '--served-model-name', request.servedName, '--host', addressOf(host)],
        ...['--port', String(port), '--max-model-len', String(maxContextTokens)],
        ...(gpus > 1 ? ['--tensor-parallel-size', String(gpus)] : []),
        ...(judge ? spec.judge.extraArguments : spec.serving.extraArguments),
      ],
      env: { HF_HUB_OFFLINE: '1', VLLM_NO_USAGE_STATS: '1', DO_NOT_TRACK: '1' },
    };
  }
  const config: ServeConfig = {
    program: 'serve',
    run: run.run,
    seed: spec.seed,
    threads: spec.serving.threads,
    device: spec.device,
    ...reportFiles(attempt),
    model: request.model,
    servedName: request.servedName,
    host: addressOf(host),
    port,
    maxBatchSize: spec.serving.maxBatchSize,
    maxContextTokens,
  };
  return { config, ...trainerCommand(host, 'serve', attempt.config, spec.serving.threads) };
};
