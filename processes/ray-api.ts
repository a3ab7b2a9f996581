import { request } from 'undici';
import { LensmithError } from '../domain/errors.ts';

const requestMs = 10_000;

/** A Ray to speak to: base URL of its Jobs API, and the token that it asks for. */
export interface RayEndpoint {
  readonly address: string;
  readonly token?: string | undefined;
}

export interface RayAnswer {
  readonly status: number;
  readonly text: string;
}

/**
 * Asks the dashboard of Ray, which has ten seconds to answer. By undici and not by `fetch`, whose headers Ray takes for
 * those of a browser, from which it accepts no change.
 *
 * @throws LensmithError `ray_head` where nothing answers.
 */
export const askRay = async (
  { address, token }: RayEndpoint,
  path: string,
  post?: { body?: string },
): Promise<RayAnswer> => {
  try {
    const response = await request(new URL(path, address), {
      method: post ? 'POST' : 'GET',
      headers: {
        ...(post?.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token ? { authorization: `Bearer ${token}` } : {}),
      },
      ...(post?.body === undefined ? {} : { body: post.body }),
      headersTimeout: requestMs,
      bodyTimeout: requestMs,
      signal: AbortSignal.timeout(requestMs),
    });
    return { status: response.statusCode, text: await response.body.text() };
  } catch (error) {
    throw new LensmithError('ray_head', `Ray does not answer at ${address}: ${String(error)}`, {
      where: address,
      cause: error,
    });
  }
};

/** What to throw where Ray answered, but with another status than expected. */
export const unexpectedAnswer = ({ address }: RayEndpoint, path: string, { status, text }: RayAnswer) =>
  new LensmithError(
    // A dashboard whose head is away answers by itself, with a 5xx.
    status === 401 || status === 403 ? 'auth' : status >= 500 ? 'ray_head' : 'infrastructure',
    `Ray answered ${status} to ${path}: ${text.slice(-500)}`,
    { where: address },
  );
