import { createHash } from 'node:crypto';
import type { KeyParts } from '../domain/key-parts.ts';
import type { StageName } from '../domain/stage.ts';

/**
 * Raised when a stage's code changes what it leaves behind for the same inputs: it is part of the stage's key, so that
 * a cached artifact of the older code is not taken for one of the newer.
 */
const codeVersions: Partial<Record<StageName | 'evaluate-model', number>> = {
  'prepare-data': 1,
  'base-model': 1,
  sft: 2,
  rl: 1,
  'evaluate-model': 1,
};

const stable = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(stable);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, entry]) => entry !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, entry]) => [key, stable(entry)]),
  );
};

/** SHA-256 in hex over a value's JSON with sorted keys. */
export const digestOf = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(stable(value)))
    .digest('hex');

/** What a stage's key is made of: its code's version, its resolved config and the digests of its inputs. */
export const keyParts = (
  stage: keyof typeof codeVersions,
  config: Readonly<Record<string, unknown>>,
  inputs: Readonly<Record<string, string>>,
): KeyParts => ({ stage, code: codeVersions[stage] ?? 0, config, inputs });

/** Key of a stage: the digest of its parts. Two runs whose stages share a key share the artifact. */
export const keyOf = ({ stage, code, config, inputs }: KeyParts): string => digestOf({ stage, code, config, inputs });

/** {@link keyOf} the parts. */
export const stageKey = (...parts: Parameters<typeof keyParts>): string => keyOf(keyParts(...parts));
