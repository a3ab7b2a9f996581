import type { Episode, Task } from '../../domain/episode.ts';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { createModelClient, type ModelClientOptions } from '../../episodes/model-client.ts';
import { runEpisode } from '../../episodes/run-episode.ts';
import type { CodeSandbox } from '../../episodes/tool-session.ts';
import { png, ranOk, scriptedSandbox } from './scripted-sandbox.ts';

export const task: Task = {
  sampleId: 'test-0',
  dataSource: 'test',
  question: 'Which digit is this?',
  reference: '7',
  answerKind: 'number',
  family: 'orient',
  transform: 'identity',
};

/** A turn that runs code. */
export const codeTurn = (code: string): string => `<code>\n\`\`\`python\n${code}\n\`\`\`\n</code>`;

export interface PlayOptions {
  readonly endpoints: readonly string[];
  readonly images?: readonly Uint8Array[];
  readonly client?: Partial<ModelClientOptions>;
  readonly sandbox?: CodeSandbox;
  readonly signal?: AbortSignal;
  readonly deadlineSeconds?: number;
}

/** Runs one episode of the protocol `miniature` against the endpoints. */
export const play = async (options: PlayOptions): Promise<Episode> => {
  const client = createModelClient({
    endpoints: options.endpoints,
    model: 'scripted',
    pauseMs: 5,
    attempts: 3,
    ...options.client,
  });
  try {
    return await runEpisode({
      task,
      images: options.images ?? [await png(28, 28)],
      protocol: await loadProtocol('miniature'),
      client,
      sandbox: options.sandbox ?? scriptedSandbox(() => ranOk('8\n')).sandbox,
      sampling: { temperature: 0, topP: 1, maxTokens: 64, seed: 3 },
      signal: options.signal ?? new AbortController().signal,
      deadlineSeconds: options.deadlineSeconds ?? 20,
    });
  } finally {
    await client.close();
  }
};
