import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';

const modelsSchema = z.object({ data: z.array(z.object({ id: z.string(), owned_by: z.string().nullish() })) });
type ModelCard = z.infer<typeof modelsSchema>['data'][number];

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

const modelCards = async (url: string, options: ServedModelsOptions): Promise<ModelCard[]> => {
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
    return modelsSchema.parse(JSON.parse(text)).data;
  } catch (cause) {
    throw cause instanceof LensmithError ? cause : failed('infrastructure', String(cause), cause);
  }
};

/**
 * The ids of the models that an endpoint of the OpenAI API serves (`GET /v1/models`).
 *
 * @throws LensmithError `infrastructure` where it does not answer in time, `auth` where it refuses the key.
 */
export const servedModels = async (url: string, options: ServedModelsOptions = {}): Promise<string[]> =>
  (await modelCards(url, options)).map(({ id }) => id);

/**
 * The card of the model that is to be asked.
 *
 * @throws LensmithError `config` where the endpoint serves others; else as `servedModels`.
 */
export const servedModel = async (
  url: string,
  model: string,
  options: ServedModelsOptions = {},
): Promise<{ readonly ownedBy: string | null }> => {
  const cards = await modelCards(url, options);
  const card = cards.find(({ id }) => id === model);
  if (!card)
    throw new LensmithError(
      'config',
      `expected ${url} to serve the model "${model}", it serves ${cards.map(({ id }) => `"${id}"`).join(', ') || 'none'}; correct the model's name or the address`,
      { where: url },
    );
  return { ownedBy: card.owned_by ?? null };
};

/**
 * Makes sure that an endpoint serves the model that is to be asked.
 *
 * @throws LensmithError as `servedModel`.
 */
export const checkEndpoint = async (url: string, model: string, options: ServedModelsOptions = {}): Promise<void> => {
  await servedModel(url, model, options);
};
