import type { Episode, Task } from '../../domain/episode.ts';
import { loadProtocol } from '../../episodes/load-protocol.ts';
import { createModelClient, type ModelClient, type ModelClientOptions } from '../../episodes/model-client.ts';
import type { PromptMessage } from '../../episodes/prompt-messages.ts';
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

/** A turn that runs code on an image of the trajectory. */
export const toolTurn = (code: string, imageIndex: number): string =>
  `<tool_call>\n${JSON.stringify({
    name: 'code_image_tool',
    arguments: { code, description: 'a test', image_index: imageIndex },
  })}\n</tool_call>`;

export interface EpisodeSetting {
  readonly images?: readonly Uint8Array[];
  readonly sandbox?: CodeSandbox;
  readonly signal?: AbortSignal;
  readonly deadlineSeconds?: number;
  /** @default miniature */
  readonly protocol?: string;
  readonly prompt?: readonly PromptMessage[];
  readonly attempt?: number;
}

/** Runs one episode with a client. */
export const playWith = async (client: ModelClient, options: EpisodeSetting = {}): Promise<Episode> =>
  runEpisode({
    task,
    images: options.images ?? [await png(28, 28)],
    protocol: await loadProtocol(options.protocol ?? 'miniature'),
    client,
    sandbox: options.sandbox ?? scriptedSandbox(() => ranOk('8\n')).sandbox,
    sampling: { temperature: 0, topP: 1, maxTokens: 64, seed: 3 },
    signal: options.signal ?? new AbortController().signal,
    deadlineSeconds: options.deadlineSeconds ?? 20,
    ...(options.prompt ? { prompt: options.prompt } : {}),
    ...(options.attempt === undefined ? {} : { attempt: options.attempt }),
  });

export interface PlayOptions extends EpisodeSetting {
  readonly endpoints: readonly string[];
  readonly client?: Partial<ModelClientOptions>;
}

/** Runs one episode against the endpoints, with a client of its own. */
export const play = async ({ endpoints, client: options, ...setting }: PlayOptions): Promise<Episode> => {
  const client = createModelClient({ endpoints, model: 'scripted', pauseMs: 5, attempts: 3, ...options });
  try {
    return await playWith(client, setting);
  } finally {
    await client.close();
  }
};
