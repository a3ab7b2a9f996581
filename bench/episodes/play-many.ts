import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { Episode } from '../../domain/episode.ts';
import type { ExecutionResult } from '../../domain/sandbox.ts';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { createModelClient } from '../../episodes/model-client.ts';
import { runEpisode } from '../../episodes/run-episode.ts';
import type { CodeSandbox } from '../../episodes/tool-session.ts';

const result = (images: ExecutionResult['images']): ExecutionResult => ({
  outcome: 'ok',
  stdout: '8\n',
  stderr: '',
  images,
  error: null,
  durationMs: 0,
  isolation: 'none',
});

/** A sandbox that answers at once, so that only the loop and the client are measured. */
const instantSandbox = (images: ExecutionResult['images']): CodeSandbox => ({
  createSession: async () => ({ execute: async () => result(images), close: async () => undefined }),
});

/** A PNG of about `bytes`, which no compression makes smaller. */
export const noisePng = async (bytes: number, seed = 0): Promise<Buffer> => {
  const side = Math.max(8, Math.round(Math.sqrt(bytes / 3)));
  const noise = Buffer.alloc(3 * side * side);
  for (let at = 0; at < noise.length; at += 32) createHash('sha256').update(`${seed}/${at}`).digest().copy(noise, at);
  return sharp(noise, { raw: { width: side, height: side, channels: 3 } })
    .png({ compressionLevel: 1 })
    .toBuffer();
};

export interface ManyOptions {
  readonly endpoints: readonly string[];
  readonly episodes: number;
  readonly concurrency: number;
  readonly image: (place: number) => Buffer;
  readonly produced?: ExecutionResult['images'];
  readonly onEnd?: (ended: number) => void;
}

/** Plays episodes of `miniature` side by side; gives what `pick` keeps of each. */
export const playMany = async <Kept>(options: ManyOptions, pick: (episode: Episode) => Kept): Promise<Kept[]> => {
  const protocol = await loadProtocol('miniature');
  const client = createModelClient({ endpoints: options.endpoints, model: 'mock' });
  const sandbox = instantSandbox(options.produced ?? []);
  const { signal } = new AbortController();
  const kept: Kept[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < options.episodes) {
      const place = next;
      next += 1;
      const episode = await runEpisode({
        task: {
          sampleId: `bench-${place}`,
          dataSource: 'bench',
          question: 'Which digit is this?',
          reference: '8',
          answerKind: 'number',
          family: 'bench',
          transform: 'identity',
        },
        images: [options.image(place)],
        protocol,
        client,
        sandbox,
        sampling: { temperature: 0, topP: 1, maxTokens: 64, seed: 0 },
        signal,
        deadlineSeconds: 600,
      });
      if (episode.ending !== 'answered') throw new Error(`expected an answer, got ${JSON.stringify(episode)}`);
      options.onEnd?.(kept.push(pick(episode)));
    }
  };
  try {
    await Promise.all(Array.from({ length: options.concurrency }, lane));
  } finally {
    await client.close();
  }
  return kept;
};
