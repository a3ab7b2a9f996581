import { z } from 'zod';
import { askRay, type RayEndpoint, unexpectedAnswer } from './ray-api.ts';

export type { RayEndpoint } from './ray-api.ts';

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

/** The job with this submission id; undefined where Ray knows none. */
export const getRayJob = async (ray: RayEndpoint, submissionId: string): Promise<RayJob | undefined> => {
  const path = `/api/jobs/${submissionId}`;
  const answer = await askRay(ray, path);
  if (answer.status === 404) return undefined;
  if (answer.status !== 200) throw unexpectedAnswer(ray, path, answer);
  return jobSchema.parse(JSON.parse(answer.text));
};

/**
 * Submits a job under our own id, or adopts the one that Ray already has under it: Ray answers 500 to a duplicate, so
 * the only safe reading of a refusal is to ask again.
 */
export const submitRayJob = async (ray: RayEndpoint, job: RayJobRequest): Promise<RayJob> => {
  const known = await getRayJob(ray, job.submissionId);
  if (known) return known;
  const answer = await askRay(ray, '/api/jobs/', {
    body: JSON.stringify({
      entrypoint: job.entrypoint,
      submission_id: job.submissionId,
      runtime_env: { env_vars: job.env },
      metadata: job.metadata,
      ...(job.gpus > 0 ? { entrypoint_num_gpus: job.gpus } : {}),
    }),
  });
  const submitted = await getRayJob(ray, job.submissionId);
  if (!submitted) throw unexpectedAnswer(ray, '/api/jobs/', answer);
  return submitted;
};

const jobListSchema = z.array(
  z.looseObject({
    submission_id: z.string().nullish(),
    status: jobSchema.shape.status,
    metadata: z.record(z.string(), z.string()).nullish(),
  }),
);

/** Jobs that wait or run and carry the mark of a run of ours: submission id by run. */
export const listLiveRayJobs = async (ray: RayEndpoint): Promise<{ run: string; submissionId: string }[]> => {
  const path = '/api/jobs/';
  const answer = await askRay(ray, path);
  if (answer.status !== 200) throw unexpectedAnswer(ray, path, answer);
  return jobListSchema.parse(JSON.parse(answer.text)).flatMap(({ submission_id, status, metadata }) => {
    const live = status === 'PENDING' || status === 'RUNNING';
    return live && submission_id && metadata?.run ? [{ run: metadata.run, submissionId: submission_id }] : [];
  });
};

/** Asks Ray to stop a job; false where it had ended already or is unknown. */
export const stopRayJob = async (ray: RayEndpoint, submissionId: string): Promise<boolean> => {
  const path = `/api/jobs/${submissionId}/stop`;
  const answer = await askRay(ray, path, {});
  if (answer.status === 404) return false;
  if (answer.status !== 200) throw unexpectedAnswer(ray, path, answer);
  return z.looseObject({ stopped: z.boolean() }).parse(JSON.parse(answer.text)).stopped;
};

/** Version of the Ray that answers, as a proof that its Jobs API is up. */
export const rayVersion = async (ray: RayEndpoint): Promise<string> => {
  const answer = await askRay(ray, '/api/version');
  if (answer.status !== 200) throw unexpectedAnswer(ray, '/api/version', answer);
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
  const answer = await askRay(ray, '/api/cluster_status');
  if (answer.status !== 200) throw unexpectedAnswer(ray, '/api/cluster_status', answer);
  const parsed = clusterSchema.safeParse(JSON.parse(answer.text));
  return parsed.success ? (parsed.data.data.clusterStatus.loadMetricsReport?.usage ?? {}) : {};
};
