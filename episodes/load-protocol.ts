import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import { type Protocol, type ProtocolRef, protocolSchema } from '../domain/protocol.ts';

/** A protocol, how results name it, and the absolute path of its file. */
export interface LoadedProtocol {
  readonly protocol: Protocol;
  readonly ref: ProtocolRef;
  readonly file: string;
}

/** Whether a protocol is one of ours; else it is the path of a file. */
export const isProtocolName = (nameOrPath: string): boolean => /^[a-z][a-z0-9-]*$/.test(nameOrPath);

const protocolFile = (nameOrPath: string): string =>
  isProtocolName(nameOrPath) ? join(import.meta.dirname, 'protocols', `${nameOrPath}.yaml`) : resolve(nameOrPath);

const parseYaml = (text: string, file: string): unknown => {
  try {
    return parse(text);
  } catch (cause) {
    throw new LensmithError('config', `expected YAML in ${file}, got: ${String(cause)}`, { where: file, cause });
  }
};

/**
 * Reads a protocol: one of ours by its name, or a file by its path.
 *
 * @throws LensmithError `config` where the file is missing, is not YAML or does not fit the schema; the message names
 * each wrong key.
 * @example await loadProtocol('miniature'); await loadProtocol('./my-protocol.yaml')
 */
export const loadProtocol = async (nameOrPath: string): Promise<LoadedProtocol> => {
  const file = protocolFile(nameOrPath);
  let content: Buffer;
  try {
    content = await readFile(file);
  } catch (cause) {
    throw new LensmithError(
      'config',
      `expected the name of a protocol in episodes/protocols or the path of a protocol file, got "${nameOrPath}": ${String(cause)}`,
      { where: file, cause },
    );
  }
  const parsed = protocolSchema.safeParse(parseYaml(content.toString('utf8'), file));
  if (!parsed.success)
    throw new LensmithError('config', `${file} is not a valid protocol:\n${z.prettifyError(parsed.error)}`, {
      where: file,
      cause: parsed.error,
    });
  const { name, version } = parsed.data;
  const digest = createHash('sha256').update(content).digest('hex');
  return { protocol: parsed.data, ref: { name, version, digest }, file };
};
