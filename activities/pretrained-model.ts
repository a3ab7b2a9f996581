import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactRef } from '../domain/artifact.ts';
import { LensmithError } from '../domain/errors.ts';
import { readingNamed } from './named-path.ts';
import { digestOf } from './stage-key.ts';

/**
 * A model that somebody else made. Weights of many gigabytes are told apart by their names and sizes, everything small
 * by its bytes.
 */
export const pretrainedModel = async (path: string): Promise<ArtifactRef> => {
  const names = (await readingNamed('baseModel.path', path, readdir(path))).sort();
  if (!names.includes('config.json'))
    throw new LensmithError('config', `expected a Hugging Face model folder with a config.json, got ${path}`, {
      where: 'baseModel.path',
    });
  const parts = await Promise.all(
    names.map(async (name) => {
      const file = join(path, name);
      const { size } = await readingNamed('baseModel.path', file, stat(file));
      return { name, size, text: name.endsWith('.json') ? await readFile(file, 'utf8') : null };
    }),
  );
  return { kind: 'model', path, digest: digestOf(parts), details: { pretrained: true } };
};
