import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import { afterEach, describe, expect, it } from 'vitest';
import type { Episode } from '../../domain/episode.ts';
import { type ScoreRequest, scoreResponseSchema } from '../../domain/score.ts';
import type { Grade } from '../../domain/verdict.ts';
import { type Listening, listen } from '../../sandbox/listen.ts';
import { type ScoreApiOptions, scoreApi } from '../../scoring/score-api.ts';
import { gradeOf } from '../support/episodes.ts';
import { traceOf } from '../support/traces.ts';

const open: { close: () => Promise<void> }[] = [];
afterEach(async () => {
  for (const { close } of open.splice(0)) await close();
});

const serve = async (options: ScoreApiOptions = {}): Promise<Listening> => {
  const server = await listen(scoreApi(options), { port: 0, hostname: '127.0.0.1' });
  open.push(server);
  return server;
};

const post = (server: Listening, body: Partial<ScoreRequest>): Promise<Response> =>
  fetch(`http://127.0.0.1:${server.port}/v1/score`, {
    method: 'POST',
    body: JSON.stringify({ reward: 'lensmith', ...body }),
    signal: AbortSignal.timeout(20_000),
  });

const metrics = async (server: Listening): Promise<string> =>
  (await fetch(`http://127.0.0.1:${server.port}/v1/score/metrics`)).text();

const messageOf = async (response: Response): Promise<string> =>
  ((await response.json()) as { error: { message: string } }).error.message;

/** A grader that waits until it is let go, and counts. */
const slowGrader = () => {
  const gate = Promise.withResolvers<void>();
  let calls = 0;
  const grade = async (): Promise<Grade> => {
    calls += 1;
    await gate.promise;
    return gradeOf('correct');
  };
  return { grade, release: gate.resolve, calls: () => calls };
};

/** Waits for something that another request brings about. */
const until = async (happened: () => boolean): Promise<void> => {
  const deadline = performance.now() + 10_000;
  while (!happened()) {
    if (performance.now() > deadline) throw new Error('it did not happen within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
};

describe('a request with an id', () => {
  const groups = [[traceOf([{}]), traceOf([], { answer: '9' })]];

  it('is scored once, and has the same response when it is sent again, also while it is being scored', async () => {
    const { grade, release, calls } = slowGrader();
    const server = await serve({ grade });
    const first = post(server, { id: 'step-1', groups });
    await until(() => calls() === 2);
    const second = post(server, { id: 'step-1', groups });
    release();
    const texts = await Promise.all([first, second].map(async (response) => (await response).text()));
    const third = await (await post(server, { id: 'step-1', groups })).text();
    expect(new Set([...texts, third]).size).toBe(1);
    expect(calls()).toBe(2);
    expect(await metrics(server)).toContain('lensmith_score_requests_total{outcome="repeated"} 2');
  });

  it('is refused with another body', async () => {
    const server = await serve();
    expect((await post(server, { id: 'a', groups })).status).toBe(200);
    const other = await post(server, { id: 'a', groups, reward: 'accuracy' });
    expect(other.status).toBe(409);
    expect(await messageOf(other)).toContain('take a new id');
  });

  it('is tried again after a failure', async () => {
    let calls = 0;
    const grade = async (): Promise<Grade> => {
      calls += 1;
      if (calls === 1) throw new Error('the first one is lost');
      return gradeOf('correct');
    };
    const server = await serve({ grade });
    expect((await post(server, { id: 'b', groups: [[traceOf([])]] })).status).toBe(500);
    expect((await post(server, { id: 'b', groups: [[traceOf([])]] })).status).toBe(200);
  });

  it('gets after the deadline what was done meanwhile', async () => {
    const { grade, release, calls } = slowGrader();
    const server = await serve({ grade, deadlineSeconds: 0.05 });
    const late = await post(server, { id: 'c', groups });
    expect([late.status, late.headers.get('retry-after')]).toEqual([503, '1']);
    release();
    const again = await post(server, { id: 'c', groups });
    expect(again.status).toBe(200);
    expect(calls()).toBe(2);
  });
});

describe('back-pressure', () => {
  it('tells a request that would go beyond the limit to come again, and takes it later', async () => {
    const { grade, release, calls } = slowGrader();
    const server = await serve({ grade, maximumEpisodes: 3 });
    const two = [[traceOf([]), traceOf([])]];
    const first = post(server, { groups: two });
    await until(() => calls() === 2);
    const busy = await post(server, { groups: two });
    expect([busy.status, busy.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await metrics(server)).toContain('lensmith_score_episodes_in_flight 2');
    release();
    expect((await first).status).toBe(200);
    expect((await post(server, { groups: two })).status).toBe(200);
    expect(await metrics(server)).toContain('lensmith_score_episodes_in_flight 0');
  });

  it('takes a request that is larger than the limit when nothing else is there', async () => {
    const server = await serve({ maximumEpisodes: 1 });
    expect((await post(server, { groups: [[traceOf([]), traceOf([])]] })).status).toBe(200);
  });
});

describe('a group', () => {
  it('must share one task', async () => {
    const server = await serve();
    const groups = [[traceOf([]), traceOf([], { task: { sampleId: 'other' } })]];
    const response = await post(server, { groups });
    expect(response.status).toBe(400);
    const message = await messageOf(response);
    expect(message).toContain('share the task s, got other');
    expect(message).toContain('groups[0][1].task.sampleId');
  });
});

describe('pixels', () => {
  const encode = (rotate: number): Promise<Buffer> =>
    sharp({ create: { width: 60, height: 40, channels: 3, background: '#103050' } })
      .composite([{ input: Buffer.from('<svg><rect x="4" y="5" width="20" height="9" fill="#fe8"/></svg>') }])
      .png()
      .toBuffer()
      .then((bytes) => sharp(bytes).rotate(rotate).png().toBuffer());
  const digestOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

  /** The shown image, and what code made of it; sharp turns clockwise. */
  const turned = async () => {
    const [input, output] = [await encode(0), await encode(90)];
    const episode: Episode = {
      ...traceOf(
        [
          {
            code: 'img.rotate(270, expand=True)',
            stdout: '',
            images: [{ digest: digestOf(output), width: 40, height: 60 }],
          },
        ],
        {
          task: { needs: { orientation: 'rotate_270', box: null } },
        },
      ),
      inputImages: [{ digest: digestOf(input), width: 60, height: 40 }],
    };
    return { input, output, groups: [[episode]] };
  };

  it('credit what code did to the image, by bytes and by path, and come back as locations', async () => {
    const { input, output, groups } = await turned();
    const folder = await mkdtemp(join(tmpdir(), 'score-'));
    try {
      const path = join(folder, 'output.png');
      await writeFile(path, output);
      const server = await serve();
      const images = [
        { digest: digestOf(input), data: input.toString('base64') },
        { digest: digestOf(output), path },
      ];
      const response = await post(server, { groups, images });
      expect(response.status).toBe(200);
      const [[score] = []] = scoreResponseSchema.parse(await response.json()).groups;
      expect(score?.terms).toMatchObject({ orientation: 0.3, spurious: 0 });
      expect(score?.locations).toEqual({
        [digestOf(output)]: { input: 0, orientation: 'rotate_270', box: [0, 0, 60, 40] },
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });

  it('credit nothing where they did not come along', async () => {
    const { groups } = await turned();
    const response = await post(await serve(), { groups });
    const [[score] = []] = scoreResponseSchema.parse(await response.json()).groups;
    expect(score?.terms.orientation).toBe(0);
    expect(score?.locations).toBeUndefined();
  });

  it('are refused where their digest is another', async () => {
    const { input, groups } = await turned();
    const response = await post(await serve(), { groups, images: [{ digest: 'abc', data: input.toString('base64') }] });
    expect(response.status).toBe(400);
    expect(await messageOf(response)).toContain('expected the bytes of the image abc');
  });
});
