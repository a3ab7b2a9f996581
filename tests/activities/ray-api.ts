import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { z } from 'zod';

type Status = 'PENDING' | 'RUNNING' | 'STOPPED' | 'SUCCEEDED' | 'FAILED';

const submissionSchema = z.strictObject({
  entrypoint: z.string(),
  submission_id: z.string(),
  runtime_env: z.strictObject({ env_vars: z.record(z.string(), z.string()) }),
  metadata: z.record(z.string(), z.string()),
  entrypoint_num_gpus: z.number().optional(),
});
type Submission = z.infer<typeof submissionSchema>;

type RayMood = 'answering' | 'silent' | 'refusing';

interface Job {
  readonly submission: Submission;
  status: Status;
  message: string;
}

/** Answers as Ray's Jobs API does, with jobs that begin and end when the test says so. */
export const startRayApi = async (token?: string) => {
  const jobs = new Map<string, Job>();
  const submissions: Submission[] = [];

  const submit = (body: string): [number, unknown] => {
    const submission = submissionSchema.parse(JSON.parse(body));
    const id = submission.submission_id;
    submissions.push(submission);
    if (jobs.has(id)) return [500, `Traceback (most recent call last):\nJob with submission_id ${id} already exists`];
    jobs.set(id, { submission, status: 'RUNNING', message: 'Job is currently running.' });
    return [200, { job_id: id, submission_id: id }];
  };

  const answer = (method: string, path: string, body: string): [number, unknown] => {
    if (path === '/api/version') return [200, { version: '4', ray_version: '2.60.0' }];
    if (method === 'POST' && path === '/api/jobs/') return submit(body);
    if (method === 'GET' && path === '/api/jobs/')
      return [
        200,
        [...jobs].map(([id, { submission, status, message }]) => ({
          type: 'SUBMISSION',
          submission_id: id,
          status,
          message,
          metadata: submission.metadata,
        })),
      ];
    const [, id = '', action] = /^\/api\/jobs\/([^/]+)(\/stop)?$/.exec(path) ?? [];
    const job = jobs.get(id);
    if (!job) return [404, `Job ${id} does not exist`];
    if (action === undefined)
      return [
        200,
        {
          type: 'SUBMISSION',
          job_id: null,
          submission_id: id,
          status: job.status,
          message: job.message,
          driver_exit_code: null,
        },
      ];
    const stopped = job.status === 'RUNNING' || job.status === 'PENDING';
    if (stopped) job.status = 'STOPPED';
    return [200, { stopped }];
  };

  let mood: RayMood = 'answering';
  let refused = 0;
  const server = createServer(async (request, response) => {
    if (mood !== 'answering') {
      refused += 1;
      if (mood === 'silent') response.destroy();
      else response.writeHead(503).end('the head is not reachable');
      return;
    }
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      response.writeHead(request.headers.authorization ? 403 : 401).end('Unauthorized');
      return;
    }
    const [status, content] = answer(request.method ?? '', request.url ?? '', await text(request));
    response.writeHead(status).end(typeof content === 'string' ? content : JSON.stringify(content));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    jobs,
    submissions,
    /** From now on it answers, hangs up, or answers as a dashboard does whose head is away. */
    mood: (next: RayMood) => {
      mood = next;
    },
    /** Requests that it did not answer. */
    refused: () => refused,
  };
};
