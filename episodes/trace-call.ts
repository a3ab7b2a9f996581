import type { Call } from '../domain/episode.ts';
import type { ExecutionResult } from '../domain/sandbox.ts';
import { imageRef, type StoredImage } from './image-store.ts';
import type { ParsedTurn } from './parse-turn.ts';

/** The result of a call that was refused before it ran. Nothing ran, so nothing ran without isolation. */
export const refusedCall = (message: string): ExecutionResult => ({
  outcome: 'policy',
  stdout: '',
  stderr: '',
  images: [],
  error: { type: 'RefusedCall', message, line: null, traceback: '' },
  durationMs: 0,
  isolation: 'namespaces',
});

/** What a trace holds of a call. */
export const callOf = (
  { imageCall }: ParsedTurn,
  code: string,
  result: ExecutionResult,
  images: readonly StoredImage[],
): Call => ({
  code,
  ...(imageCall?.kind === 'call' ? { imageIndex: imageCall.imageIndex, description: imageCall.description } : {}),
  outcome: result.outcome,
  stdout: result.stdout,
  stderr: result.stderr,
  images: images.map(imageRef),
  error: result.error,
  durationMs: result.durationMs,
  isolation: result.isolation,
});
