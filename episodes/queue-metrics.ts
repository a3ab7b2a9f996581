import { type Agent, request } from 'undici';

const sample = /^vllm:num_requests_waiting(?:\{[^}]*\})?\s+([0-9.eE+]+)/gm;

/** Requests that wait in a vLLM server, summed over its engines; null where the text does not tell. */
export const readWaiting = (metrics: string): number | null => {
  const values = [...metrics.matchAll(sample)].map((match) => Number(match[1]));
  return values.length && values.every(Number.isFinite) ? values.reduce((sum, value) => sum + value, 0) : null;
};

/** Asks a server for its queue; null where it has no such metrics or does not answer within two seconds. */
export const fetchWaiting = async (agent: Agent, base: string): Promise<number | null> => {
  try {
    const signal = AbortSignal.timeout(2000);
    const { statusCode, body } = await request(`${base.replace(/\/v1$/, '')}/metrics`, { dispatcher: agent, signal });
    const text = await body.text();
    return statusCode === 200 ? readWaiting(text) : null;
  } catch {
    return null;
  }
};
