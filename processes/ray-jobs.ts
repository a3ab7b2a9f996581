import { request } from 'undici';
import { z } from 'zod';
import { LensmithError } from '../domain/errors.ts';

const requestMs = 15_000;

const jobSchema = z.looseObject({
  submission_id: z.string(),
  status: z.enum(['PENDING', 'RUNNING', 'STOPPED', 'SUCCEEDED', 'FAILED']),
  message: z.string().nullish(),
  driver_exit_code: z.number().nullish(),
});
export type RayJob = z.infer<typeof jobSchema>;

export interface RayJobRequest {
  readonly submissionId: string;
  readonly entrypoint: string;
  readonly env: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly gpus: number;
}

/** A Ray to speak to: base URL of its Jobs API, and the token that it asks for. */
export interface RayEndpoint {
  readonly address: string;
  readonly token?: string | undefined;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** By undici and not by `fetch`, whose headers Ray takes for those of a browser, from which it accepts no change. */
const call = async ({ address, token }: RayEndpoint, path: string, post?: { body?: string }): Promise<Answer> => {
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
    throw new LensmithError('infrastructure', `Ray's Jobs API does not answer at ${address}: ${String(error)}`, {
      where: address,
      cause: error,
    });
  }
};

const unexpected = ({ address }: RayEndpoint, path: string, { status, text }: Answer) =>
  new LensmithError(
    status === 401 || status === 403 ? 'auth' : 'infrastructure',
    `Ray answered ${status} to ${path}: ${text.slice(-500)}`,
    { where: address },
  );

/** The job with this submission id; undefined where Ray knows none. */
export const getRayJob = async (ray: RayEndpoint, submissionId: string): Promise<RayJob | undefined> => {
  const path = `/api/jobs/${submissionId}`;
  const answer = await call(ray, path);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw unexpected(ray, path, answer);
  return jobSchema.parse(JSON.parse(answer.text));
};

/**
 * Submits a job under our own id, or adopts the one that Ray already has under it: Ray answers 500 to a duplicate, so
 * the only safe reading of a refusal is to ask again.
 */
export const submitRayJob = async (ray: RayEndpoint, job: RayJobRequest): Promise<RayJob> => {
  const known = await getRayJob(ray, job.submissionId);
  if (known) return known;
  const answer = await call(ray, '/api/jobs/', {
    body: JSON.stringify({
      entrypoint: job.entrypoint,
      submission_id: job.submissionId,
      runtime_env: { env_vars: job.env },
      metadata: job.metadata,
      ...(job.gpus > 0 ? { entrypoint_num_gpus: job.gpus } : {}),
    }),
  });
  const submitted = await getRayJob(ray, job.submissionId);
  if (!submitted) throw unexpected(ray, '/api/jobs/', answer);
  return submitted;
};

/** Asks Ray to stop a job; false where it had ended already or is unknown. */
export const stopRayJob = async (ray: RayEndpoint, submissionId: string): Promise<boolean> => {
  const path = `/api/jobs/${submissionId}/stop`;
  const answer = await call(ray, path, {});
  if (answer.status === 404) return false;
  if (answer.status !== 200) throw unexpected(ray, path, answer);
  return z.looseObject({ stopped: z.boolean() }).parse(JSON.parse(answer.text)).stopped;
};

/** Version of the Ray that answers, as a proof that its Jobs API is up. */
export const rayVersion = async (ray: RayEndpoint): Promise<string> => {
  const answer = await call(ray, '/api/version');
  if (answer.status !== 200) throw unexpected(ray, '/api/version', answer);
  return z.looseObject({ ray_version: z.string() }).parse(JSON.parse(answer.text)).ray_version;
};

const clusterSchema = z.looseObject({
  data: z.looseObject({
    clusterStatus: z.looseObject({
      loadMetricsReport: z.looseObject({ usage: z.record(z.string(), z.tuple([z.number(), z.number()])) }).nullish(),
    }),
  }),
});

/** Resources of the cluster by name, `[used, total]`, as its autoscaler reports them; empty while it reports none. */
export const rayResources = async (ray: RayEndpoint): Promise<Record<string, [number, number]>> => {
  const answer = await call(ray, '/api/cluster_status');
  if (answer.status !== 200) throw unexpected(ray, '/api/cluster_status', answer);
  const parsed = clusterSchema.safeParse(JSON.parse(answer.text));
  return parsed.success ? (parsed.data.data.clusterStatus.loadMetricsReport?.usage ?? {}) : {};
};
