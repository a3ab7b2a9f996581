import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Context } from '@temporalio/activity';
import { checkDataset } from '../datasets/check-dataset.ts';
import { buildMnistDatasets } from '../datasets/mnist/build-mnist-datasets.ts';
import { mnistDirectory, mnistFiles } from '../datasets/mnist/mnist-files.ts';
import type { ArtifactRef } from '../domain/artifact.ts';
import type { KeyParts } from '../domain/key-parts.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import type { RunRef, StageResult } from '../domain/stage.ts';
import { type LoadedProtocol, loadProtocol } from '../episodes/load-protocol.ts';
import { publishArtifact } from '../processes/artifact.ts';
import { writeFileAtomic } from '../processes/atomic-file.ts';
import { hashFile } from '../processes/hash-file.ts';
import type { Host } from './host.ts';
import { readingNamed } from './named-path.ts';
import { createPulse } from './pulse.ts';
import { readSpec } from './read-run.ts';
import type { SharedSandbox } from './shared-sandbox.ts';
import { keyOf, keyParts } from './stage-key.ts';
import { openOutput } from './stage-outputs.ts';
import { whileBeating } from './while-beating.ts';
import { withCache } from './with-cache.ts';

const splits = ['sft', 'rl', 'validation', 'test'] as const;

/** The inputs of the stage by name, each with the digest of its bytes. */
const sourceDigests = async (data: RunSpec['data']): Promise<Record<string, string>> => {
  const files =
    data.kind === 'mnist'
      ? Object.entries(mnistFiles(data.directory ?? mnistDirectory()))
      : splits.map((split): [string, string] => [split, data[split]]);
  const where = (name: string): string => (data.kind === 'mnist' ? 'data.directory' : `data.${name}`);
  return Object.fromEntries(
    await Promise.all(
      files.map(async ([name, path]) => [name, (await readingNamed(where(name), path, hashFile(path))).sha256]),
    ),
  );
};

/** What the key of the stage `prepare-data` is made of: what is asked for, and the bytes that it is made of. */
export const dataParts = async (spec: RunSpec, protocol: LoadedProtocol): Promise<KeyParts> => {
  const inputs = { ...(await sourceDigests(spec.data)), protocol: protocol.ref.digest };
  return keyParts('prepare-data', { data: spec.data, seed: spec.seed }, inputs);
};

/** Key of the stage `prepare-data`. */
export const dataKey = async (...of: Parameters<typeof dataParts>): Promise<string> => keyOf(await dataParts(...of));

/** Own data sets are checked where they lie and referred to by digest; nothing of them is copied. */
const referToParquet = async (
  data: Extract<RunSpec['data'], { kind: 'parquet' }>,
  digests: Record<string, string>,
  outputDir: string,
): Promise<ArtifactRef> => {
  const rows: Record<string, number> = {};
  for (const split of splits) rows[split] = (await checkDataset(data[split], split === 'sft' ? 'sft' : 'rl')).rows;
  await mkdir(outputDir, { recursive: true });
  await writeFileAtomic(join(outputDir, 'files.json'), `${JSON.stringify({ data, digests, rows }, null, 2)}\n`);
  const files = Object.fromEntries(splits.map((split) => [split, data[split]]));
  return publishArtifact(outputDir, 'dataset', { seed: 0, rows, digests, files });
};

/**
 * Makes the data sets of the run, or checks those that the spec names.
 *
 * @throws LensmithError `data` with the file, the row and the column that cannot be read.
 */
export const prepareData =
  (host: Host, sandbox: SharedSandbox) =>
  async (run: RunRef): Promise<StageResult> => {
    const spec = await readSpec(run);
    const { data, seed } = spec;
    const protocol = await loadProtocol(spec.protocol);
    const { key, dir: outputDir } = await openOutput(run, 'prepare-data', await dataParts(spec, protocol));
    const pulse = createPulse(run, 'prepare-data');
    return withCache(host, run, 'prepare-data', key, async () => {
      await rm(outputDir, { recursive: true, force: true });
      if (data.kind === 'parquet')
        return whileBeating(pulse, 1, async () => ({
          artifact: await referToParquet(data, await sourceDigests(data), outputDir),
          attempts: 1,
        }));
      const artifact = await whileBeating(pulse, 1, async (report) =>
        buildMnistDatasets({
          spec: data,
          seed,
          directory: data.directory ?? mnistDirectory(),
          outputDir,
          sandbox: await sandbox(),
          protocol: protocol.protocol,
          signal: Context.current().cancellationSignal,
          onProgress: report,
        }),
      );
      return { artifact, attempts: 1 };
    });
  };
