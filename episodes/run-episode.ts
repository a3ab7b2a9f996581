import type { Call, Episode, EpisodeEnding, Task, Turn } from '../domain/episode.ts';
import { LensmithError } from '../domain/errors.ts';
import type { ExecutionResult } from '../domain/sandbox.ts';
import { type ChatMessage, encodeMessage } from './chat-message.ts';
import { createImageStore, type ImageStore, imageRef, type StoredImage } from './image-store.ts';
import type { LoadedProtocol } from './load-protocol.ts';
import { image, type MessagePart, partsText } from './message-parts.ts';
import type { Conversation, ModelClient, Sampling } from './model-client.ts';
import { parseTurn } from './parse-turn.ts';
import { questionParts, toolMessageParts } from './render-messages.ts';
import { type CodeSandbox, openToolSession, type ToolSession } from './tool-session.ts';

export interface EpisodeOptions {
  readonly task: Task;
  /** The encoded input images, in the order of the question. */
  readonly images: readonly Uint8Array[];
  readonly protocol: LoadedProtocol;
  readonly client: ModelClient;
  readonly sandbox: CodeSandbox;
  readonly sampling: Sampling;
  readonly signal: AbortSignal;
  /** Seconds that the whole episode may take. */
  readonly deadlineSeconds: number;
  /** @default the task's sample id */
  readonly episodeId?: string;
  /** Receives the images of the trace. @default a store of the episode's own */
  readonly store?: ImageStore;
}

interface Ending {
  readonly ending: EpisodeEnding;
  readonly answer?: string;
  readonly error?: { readonly type: string; readonly message: string };
}

interface Setting extends EpisodeOptions {
  readonly store: ImageStore;
  readonly inputs: readonly StoredImage[];
  readonly deadline: number;
  readonly turns: Turn[];
  readonly conversation: Conversation;
  readonly session: ToolSession;
}

const callOf = (code: string, result: ExecutionResult, images: readonly StoredImage[]): Call => ({
  code,
  outcome: result.outcome,
  stdout: result.stdout,
  stderr: result.stderr,
  images: images.map(imageRef),
  error: result.error,
  durationMs: result.durationMs,
  isolation: result.isolation,
});

const play = async (setting: Setting): Promise<Ending> => {
  const { protocol: loaded, task, store, inputs, deadline, turns, conversation, session, sampling, signal } = setting;
  const { protocol } = loaded;
  const messages: ChatMessage[] = protocol.system ? [encodeMessage('system', [protocol.system])] : [];
  messages.push(encodeMessage('user', questionParts(protocol, task.question, inputs.length), inputs));

  const reply = (role: 'user' | 'tool', parts: readonly MessagePart[], call: Call | null, images: StoredImage[]) => {
    const last = turns.pop();
    if (last) turns.push({ ...last, call, reply: partsText(parts) });
    messages.push(encodeMessage(role, parts, images));
  };

  for (;;) {
    const asked = await conversation.ask(messages, sampling, { deadline, signal });
    if (asked.kind === 'deadline') return { ending: 'time_limit' };
    if (asked.kind === 'context_limit') return { ending: 'context_limit' };
    if (asked.kind === 'error') return { ending: 'model_error', error: { type: asked.type, message: asked.message } };
    const { kind: _, ...turn } = asked;
    turns.push({ ...turn, call: null, reply: null });
    messages.push(encodeMessage('assistant', [turn.text]));

    const { code, answer } = parseTurn(turn.text);
    if (answer !== null) return { ending: 'answered', answer };
    if (code === null && protocol.continueMessage === null) return { ending: 'answered' };
    if (turns.length >= protocol.limits.turns) return { ending: 'turn_limit' };
    if (code === null) {
      reply('user', [protocol.continueMessage ?? ''], null, []);
      continue;
    }
    const called = await session.execute(code);
    if (signal.aborted) throw cancelled(signal);
    if (called.kind === 'deadline') return { ending: 'time_limit' };
    if (called.kind === 'error')
      return {
        ending: called.type === 'data' ? 'data_error' : 'sandbox_error',
        error: { type: called.type, message: called.message },
      };
    const images = called.result.images.map(store.addProduced);
    const parts = toolMessageParts(protocol, called.result, turns.length === protocol.limits.turns - 1);
    reply(protocol.toolMessage.role, parts, callOf(code, called.result, images), parts.includes(image) ? images : []);
  }
};

const cancelled = (signal: AbortSignal): LensmithError =>
  new LensmithError('cancelled', `the episode was cancelled: ${String(signal.reason)}`, { cause: signal.reason });

/**
 * Runs one episode to its end: the question, the model's turns, the calls, the answer. Whatever goes wrong is the
 * episode's `ending`; its sandbox session is closed in every case.
 *
 * @throws LensmithError `cancelled` where `signal` fires: an episode that was broken off has no ending.
 */
export const runEpisode = async (options: EpisodeOptions): Promise<Episode> => {
  const { task, protocol, client, signal, deadlineSeconds } = options;
  if (signal.aborted) throw cancelled(signal);
  const store = options.store ?? createImageStore();
  const deadline = performance.now() + deadlineSeconds * 1000;
  const turns: Turn[] = [];
  const record = (inputs: readonly StoredImage[], end: Ending): Episode => ({
    version: 1,
    episodeId: options.episodeId ?? task.sampleId,
    task,
    protocol: protocol.ref,
    model: client.model,
    inputImages: inputs.map(imageRef),
    turns,
    ending: end.ending,
    answer: end.answer ?? null,
    error: end.error ?? null,
  });

  const inputs: StoredImage[] = [];
  try {
    for (const bytes of options.images) inputs.push(await store.add(bytes));
  } catch (error) {
    if (!(error instanceof LensmithError)) throw error;
    return record(inputs, { ending: 'data_error', error: { type: error.type, message: error.message } });
  }

  const conversation = client.begin();
  const session = openToolSession({
    sandbox: options.sandbox,
    protocol: protocol.protocol,
    images: inputs,
    signal,
    deadline,
  });
  try {
    return record(inputs, await play({ ...options, store, inputs, deadline, turns, conversation, session }));
  } finally {
    conversation.end();
    // The session ends by itself when it stays idle, so a failure to close it changes nothing of the episode.
    await session.close().catch(() => undefined);
  }
};
