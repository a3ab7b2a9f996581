import { z } from 'zod';

/** What math-verify says of two formulas; `failed` says nothing of the answer. */
export type MathComparison =
  | { readonly kind: 'equal' | 'different' | 'unreadable'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

export interface MathWorker {
  /** Never rejects: a death, a silence beyond the deadline and a missing library are `failed`. */
  readonly compare: (reference: string, answer: string) => Promise<MathComparison>;
  /** Ends the process; a later comparison starts another one. */
  readonly close: () => Promise<void>;
  /** Of the process that runs now. */
  readonly pid: () => number | undefined;
}

export interface MathWorkerOptions {
  readonly python: string;
  /** For one comparison. @default 5000 */
  readonly compareMs?: number;
  /** For the start of the process with its libraries. @default 60000 */
  readonly startMs?: number;
  /** Without a question for so long the process ends. @default 60000 */
  readonly idleMs?: number;
  /** @default the program beside this file */
  readonly program?: string;
}

/** A line that the worker's program writes. */
export const replySchema = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ id: z.int(), equal: z.boolean().nullable(), reason: z.string() }),
]);

export const comparisonOf = (equal: boolean | null, reason: string): MathComparison => ({
  kind: equal === null ? 'unreadable' : equal ? 'equal' : 'different',
  reason,
});
