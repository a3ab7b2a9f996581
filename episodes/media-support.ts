import { z } from 'zod';
import { apiBase } from '../http/api-base.ts';
import { authorization, type ServedModelsOptions } from './served-models.ts';

const versionSchema = z.object({ version: z.string() });

/** Whether a version of vLLM takes a content part with `image_url: null` and a `uuid`: from 0.11 on. */
export const takesKeptMedia = (version: string): boolean => {
  const match = /^v?(\d+)\.(\d+)/.exec(version);
  return match !== null && (Number(match[1]) > 0 || Number(match[2]) >= 11);
};

/** Asks a vLLM server for its version; false where it does not tell one. */
export const keepsMedia = async (url: string, options: ServedModelsOptions = {}): Promise<boolean> => {
  try {
    const response = await fetch(`${apiBase(url).replace(/\/v1$/, '')}/version`, {
      headers: authorization(options.apiKey),
      signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
    });
    return response.ok && takesKeptMedia(versionSchema.parse(await response.json()).version);
  } catch {
    return false;
  }
};
