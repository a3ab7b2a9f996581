import type { Call, Episode, EpisodeEnding, Task, Turn } from '../domain/episode.ts';
import { LensmithError } from '../domain/errors.ts';
import { type ChatMessage, encodeMessage } from './chat-message.ts';
import { createImageStore, type ImageStore, imageRef, StoredImage } from './image-store.ts';
import type { LoadedProtocol } from './load-protocol.ts';
import { image, type MessagePart, partsText } from './message-parts.ts';
import type { Conversation, ModelClient, Sampling } from './model-client.ts';
import { unknownImage } from './parse-tool-call.ts';
import { type ParsedTurn, parseTurn } from './parse-turn.ts';
import { type PromptMessage, promptParts } from './prompt-messages.ts';
import { questionParts, toolMessageParts } from './render-messages.ts';
import { type CodeSandbox, openToolSession, type ToolReply, type ToolSession } from './tool-session.ts';
import { callOf, refusedCall } from './trace-call.ts';

export interface EpisodeOptions {
  readonly task: Task;
  /** The encoded input images, in the order of the question; those that `store` has already are taken as they are. */
  readonly images: readonly (Uint8Array | StoredImage)[];
  readonly protocol: LoadedProtocol;
  readonly client: ModelClient;
  readonly sandbox: CodeSandbox;
  readonly sampling: Sampling;
  readonly signal: AbortSignal;
  /** Seconds that the whole episode may take. */
  readonly deadlineSeconds: number;
  /** The row's own prompt, which stands in place of the protocol's system prompt and question. */
  readonly prompt?: readonly PromptMessage[];
  /** Which of several episodes about the task, from 0. @default 0 */
  readonly attempt?: number;
  /** @default the task's sample id, with `#` and the attempt from the second one on */
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

/** The messages before the model's first turn. */
const firstMessages = ({ protocol: { protocol }, task, inputs, prompt }: Setting): ChatMessage[] => {
  if (prompt) {
    let next = 0;
    return promptParts(prompt, inputs.length).map(({ role, parts }) => {
      const from = next;
      next += parts.filter((part) => part === image).length;
      return encodeMessage(role, parts, inputs.slice(from, next));
    });
  }
  const system = protocol.system ? [encodeMessage('system', [protocol.system])] : [];
  return [...system, encodeMessage('user', questionParts(protocol, task.question, inputs.length), inputs)];
};

const execute = async (
  { imageCall }: ParsedTurn,
  code: string,
  session: ToolSession,
  trajectory: readonly StoredImage[],
): Promise<ToolReply> => {
  if (!imageCall) return session.execute(code);
  if (imageCall.kind === 'refused') return { kind: 'result', result: refusedCall(imageCall.message) };
  const chosen = trajectory[imageCall.imageIndex];
  return chosen
    ? session.execute(code, chosen)
    : { kind: 'result', result: refusedCall(unknownImage(trajectory.length)) };
};

const play = async (setting: Setting): Promise<Ending> => {
  const { protocol: loaded, store, inputs, deadline, turns, conversation, session, sampling, signal } = setting;
  const { protocol } = loaded;
  const messages = firstMessages(setting);
  const trajectory = [...inputs];

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

    const parsed = parseTurn(turn.text, protocol);
    const { code, answer } = parsed;
    if (answer !== null) return { ending: 'answered', answer };
    if (code === null && protocol.continueMessage === null) return { ending: 'answered' };
    if (turns.length >= protocol.limits.turns) return { ending: 'turn_limit' };
    if (code === null) {
      reply('user', [protocol.continueMessage ?? ''], null, []);
      continue;
    }
    const called = await execute(parsed, code, session, trajectory);
    if (signal.aborted) throw cancelled(signal);
    if (called.kind === 'deadline') return { ending: 'time_limit' };
    if (called.kind === 'error')
      return {
        ending: called.type === 'data' ? 'data_error' : 'sandbox_error',
        error: { type: called.type, message: called.message },
      };
    if (called.result.images.length) await store.room();
    const images = called.result.images.map(store.addProduced);
    trajectory.push(...images);
    const parts = toolMessageParts(protocol, called.result, turns.length === protocol.limits.turns - 1);
    reply(
      protocol.toolMessage.role,
      parts,
      callOf(parsed, code, called.result, images),
      parts.includes(image) ? images : [],
    );
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
  const { task, protocol, client, signal, deadlineSeconds, attempt = 0 } = options;
  if (signal.aborted) throw cancelled(signal);
  const store = options.store ?? createImageStore();
  const deadline = performance.now() + deadlineSeconds * 1000;
  const turns: Turn[] = [];
  const record = (inputs: readonly StoredImage[], end: Ending): Episode => ({
    version: 1,
    episodeId: options.episodeId ?? (attempt ? `${task.sampleId}#${attempt}` : task.sampleId),
    attempt,
    task,
    prompt: options.prompt ? 'dataset' : 'protocol',
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
    for (const given of options.images) inputs.push(given instanceof StoredImage ? given : await store.add(given));
    if (options.prompt) promptParts(options.prompt, inputs.length);
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
    // The session ends by itself when it stays idle, so its end, or a failure to end it, changes nothing of the episode.
    session.close().catch(() => undefined);
  }
};
