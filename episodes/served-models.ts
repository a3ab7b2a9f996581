import { AuthenticationError, OpenAI, PermissionDeniedError } from 'openai';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';
import { apiBase } from '../http/api-base.ts';

const modelsSchema = z.object({
  data: z.array(
    z.object({
      id: z.string(),
      owned_by: z.string().nullish(),
      // vLLM's and SGLang's.
      max_model_len: z.number().nullish().catch(null),
    }),
  ),
});
type ModelCard = z.infer<typeof modelsSchema>['data'][number];

/** Authorisation of a request; none without a key. */
export const authorization = (apiKey: string | undefined): Record<string, string> =>
  apiKey ? { authorization: `Bearer ${apiKey}` } : {};

export interface ServedModelsOptions {
  /** @default 10000 */
  readonly timeoutMs?: number;
  readonly apiKey?: string;
}

/** The innermost cause: the client says of whatever lies below it "Connection error." alone. */
const reasonOf = (error: unknown): string => {
  if (!(error instanceof Error)) return String(error);
  // A name with several addresses fails once for each.
  const below: unknown = error instanceof AggregateError ? error.errors[0] : error.cause;
  return below === undefined ? error.message : reasonOf(below);
};

const modelCards = async (url: string, options: ServedModelsOptions): Promise<ModelCard[]> => {
  const baseURL = apiBase(url);
  const timeout = options.timeoutMs ?? 10_000;
  const failed = (type: 'infrastructure' | 'auth', came: string, cause?: unknown): LensmithError =>
    new LensmithError(type, `expected the list of models from ${baseURL}/models, got ${came}`, { where: url, cause });
  const client = new OpenAI({
    baseURL,
    timeout,
    // Whoever waits for a server asks again by itself, and knows until when.
    maxRetries: 0,
    // The client wants a key, and would else take one from the environment, which is for another server.
    apiKey: options.apiKey ?? 'none',
    organization: null,
    project: null,
    webhookSecret: null,
    logLevel: 'off',
  });
  try {
    // The client's own limit ends with the header, this one covers the body; and the client takes anything for a list.
    const response = await client.models.list({ signal: AbortSignal.timeout(timeout) }).asResponse();
    return modelsSchema.parse(await response.json()).data;
  } catch (cause) {
    if (cause instanceof AuthenticationError || cause instanceof PermissionDeniedError)
      throw failed('auth', `${cause.status}; give the endpoint's API key`, cause);
    throw failed('infrastructure', reasonOf(cause), cause);
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
 * Who serves the model that is to be asked, and with how many tokens of context, where the server says it.
 *
 * @throws LensmithError `config` where the endpoint serves others; else as `servedModels`.
 */
export const servedModel = async (
  url: string,
  model: string,
  options: ServedModelsOptions = {},
): Promise<{ readonly ownedBy: string | null; readonly contextLength: number | null }> => {
  const cards = await modelCards(url, options);
  const card = cards.find(({ id }) => id === model);
  if (!card)
    throw new LensmithError(
      'config',
      `expected ${url} to serve the model "${model}", it serves ${cards.map(({ id }) => `"${id}"`).join(', ') || 'none'}; correct the model's name or the address`,
      { where: url },
    );
  return { ownedBy: card.owned_by ?? null, contextLength: card.max_model_len ?? null };
};

/**
 * Makes sure that an endpoint serves the model that is to be asked.
 *
 * @throws LensmithError as `servedModel`.
 */
export const checkEndpoint = async (url: string, model: string, options: ServedModelsOptions = {}): Promise<void> => {
  await servedModel(url, model, options);
};
