import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type JudgeOptions, openJudge } from '../../scoring/judge/judge-client.ts';
import {
  answerStatus,
  completion,
  type ReceivedRequest,
  type ServerFacts,
  type Step,
  startScriptedServer,
} from '../episodes/scripted-server.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

export const question = { question: 'What is on the sofa?', reference: 'a cat', answer: 'There is a cat on it.' };
export const right = '{"verdict":"correct","reason":"the same animal"}';
export const wrong = '{"verdict":"wrong","reason":"another animal"}';

/** A judge's server on the loopback; a text is the content of its reply. It goes with the test. */
export const startJudgeServer = async (
  step: (request: ReceivedRequest, count: number) => Step | Promise<Step>,
  facts: string | ServerFacts = 'judge',
) => {
  const server = await startScriptedServer(async (request, count) => {
    const next = await step(request, count);
    return typeof next === 'string' ? answerStatus(200, completion(next)) : next;
  }, facts);
  onTestFinished(() => server.close());
  return server;
};

/** A judge with short pauses, on a server of its own that takes the steps. */
export const judgeOf = async (step: (count: number) => Step | Promise<Step>, options: Partial<JudgeOptions> = {}) => {
  const server = await startJudgeServer((_, count) => step(count));
  const cacheDir = options.cacheDir ?? join(await temporaryFolder(), 'judge');
  const client = openJudge({ url: server.url, model: 'judge', cacheDir, timeoutMs: 5000, pauseMs: 5, ...options });
  return { client, judge: client.judge, cacheDir, server };
};

/** What the request asks about: the text inside a tag of the prompt. */
export const quoted = ({ messages }: ReceivedRequest, tag: 'question' | 'reference' | 'given'): string => {
  const content = String(messages.at(-1)?.content);
  return new RegExp(`<${tag}>([\\s\\S]*)</${tag}>`).exec(content)?.[1] ?? '';
};
