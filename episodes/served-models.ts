import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';

const modelsSchema = z.object({ data: z.array(z.object({ id: z.string() })) });

/** An endpoint's address with `/v1` at its end, which may be left out. */
export const apiBase = (url: string): string => {
  const base = url.replace(/\/+$/, '');
  return base.endsWith('/v1') ? base : `${base}/v1`;
};

/** Authorisation of a request; none without a key. */
export const authorization = (apiKey: string | undefined): Record<string, string> =>
  apiKey ? { authorization: `Bearer ${apiKey}` } : {};

export interface ServedModelsOptions {
  /** @default 10000 */
  readonly timeoutMs?: number;
  readonly apiKey?: string;
}

/**
 * The ids of the models that an endpoint of the OpenAI API serves (`GET /v1/models`).
 *
 * @throws LensmithError `infrastructure` where it does not answer in time, `auth` where it refuses the key.
 */
export const servedModels = async (url: string, options: ServedModelsOptions = {}): Promise<string[]> => {
  const address = `${apiBase(url)}/models`;
  const failed = (type: 'infrastructure' | 'auth', came: string, cause?: unknown): LensmithError =>
    new LensmithError(type, `expected the list of models from ${address}, got ${came}`, { where: url, cause });
  try {
    const response = await fetch(address, {
      headers: authorization(options.apiKey),
      signal: AbortSignal.timeout(options.timeoutMs ?? 10_000),
    });
    const text = await response.text();
    if (response.status === 401 || response.status === 403)
      throw failed('auth', `${response.status}; give the endpoint's API key`);
    if (!response.ok) throw failed('infrastructure', `${response.status}: ${text.slice(0, 200)}`);
    return modelsSchema.parse(JSON.parse(text)).data.map(({ id }) => id);
  } catch (cause) {
    throw cause instanceof LensmithError ? cause : failed('infrastructure', String(cause), cause);
  }
};

/**
 * Makes sure that an endpoint serves the model that is to be asked.
 *
 * @throws LensmithError `config` where it serves others; else as `servedModels`.
 */
export const checkEndpoint = async (url: string, model: string, options: ServedModelsOptions = {}): Promise<void> => {
  const ids = await servedModels(url, options);
  if (!ids.includes(model))
    throw new LensmithError(
      'config',
      `expected ${url} to serve the model "${model}", it serves ${ids.map((id) => `"${id}"`).join(', ') || 'none'}; correct the model's name or the address`,
      { where: url },
    );
};
