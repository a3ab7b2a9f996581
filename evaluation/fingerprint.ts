import type { Fingerprint } from '../domain/evaluation.ts';
import type { EvaluationOptions } from './evaluation-options.ts';
import type { JournalHeader } from './journal-entry.ts';

/** What the results of an evaluation depend on besides its samples. */
export const fingerprintOf = ({ servedModel, modelDigest, ...options }: EvaluationOptions): Fingerprint => ({
  model: modelDigest || servedModel,
  protocol: options.protocol.ref,
  prompt: options.prompt ?? 'protocol',
  temperature: options.sampling.temperature,
  topP: options.sampling.topP,
  maxTokens: options.sampling.maxTokens,
  seed: options.sampling.seed,
  isolation: options.sandbox.isolation,
  scoring: options.scoring,
});

export const journalHeader = (options: EvaluationOptions): JournalHeader => ({
  kind: 'header',
  version: 1,
  datasetDigest: options.datasetDigest,
  fingerprint: fingerprintOf(options),
});
