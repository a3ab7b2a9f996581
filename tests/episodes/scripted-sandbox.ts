import { createHash } from 'node:crypto';
import sharp from 'sharp';
import type { ExecutionResult, ProducedImage, SessionOptions } from '../../domain/sandbox.ts';
import type { CodeSandbox } from '../../episodes/tool-session.ts';

/** A grey PNG of the given size. */
export const png = (width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: { r: 120, g: 120, b: 120 } } })
    .png()
    .toBuffer();

export const producedImage = async (width: number, height: number): Promise<ProducedImage> => {
  const bytes = await png(width, height);
  return {
    digest: createHash('sha256').update(bytes).digest('hex'),
    mediaType: 'image/png',
    width,
    height,
    data: bytes.toString('base64'),
  };
};

export const ranOk = (stdout: string): ExecutionResult => ({
  outcome: 'ok',
  stdout,
  stderr: '',
  images: [],
  error: null,
  durationMs: 1,
  isolation: 'none',
});

/** Gives the results of `next` in turn and records what it was asked for. */
export const scriptedSandbox = (next: (code: string, count: number) => ExecutionResult | Promise<ExecutionResult>) => {
  const sessions: SessionOptions[] = [];
  const codes: string[] = [];
  let open = 0;
  const sandbox = {
    isolation: 'none',
    createSession: async (options) => {
      sessions.push(options);
      open += 1;
      return {
        execute: async ({ code }) => next(code, codes.push(code)),
        close: async () => {
          open -= 1;
        },
      };
    },
  } satisfies CodeSandbox & { isolation: 'none' };
  return { sandbox, sessions, codes, open: () => open };
};
