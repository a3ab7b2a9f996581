import type { Exchange } from '../../http/exchange.ts';
import { isPassingStatus } from '../../http/passing-status.ts';
import { redirectReason } from '../../http/redirect-reason.ts';
import { retryAfterMs } from '../../http/retry-after.ts';

/** What came of one request to a judge's server. */
export type JudgeReply =
  | { readonly kind: 'reply'; readonly text: string }
  | {
      /** Passes, perhaps: 408, 425, 429, 5xx, a connection that broke, a deadline. */
      readonly kind: 'retry';
      readonly reason: string;
      /** Milliseconds above 0 that `Retry-After` asks for. */
      readonly afterMs: number | null;
      /** It may come back as another server. */
      readonly away: boolean;
      /** There is no server, or it is loading its model. */
      readonly absent: boolean;
    }
  /** The server will never do: it refuses the key, does not have the model, or has another one. */
  | { readonly kind: 'refused'; readonly type: 'auth' | 'config'; readonly reason: string }
  /** This server refuses the question. */
  | { readonly kind: 'rejected'; readonly reason: string }
  /** What the judge said is no reply. */
  | { readonly kind: 'unreadable'; readonly reason: string };

/** What a request that got no complete answer says about trying again. One that was given up says nothing of the server. */
export const replyOfLoss = ({ fault, message }: Extract<Exchange, { kind: 'lost' }>): JudgeReply => ({
  kind: 'retry',
  reason: message,
  afterMs: null,
  away: fault !== 'cancelled',
  // Its connection could not be made or broke; what our own limits end says nothing of that.
  absent: fault === 'unreachable' || fault === 'reset',
});

/** What an answer that does not fit says about trying again. */
export const replyOfUnread = (misfit: string, url: string): JudgeReply => ({
  kind: 'retry',
  reason: `no complete answer from ${url}: ${misfit}`,
  afterMs: null,
  away: true,
  absent: false,
});

/** What an answer with a status other than 200 says about trying again. */
export const replyOfStatus = (
  { status, body, retryAfter, location }: Extract<Exchange, { kind: 'answer' }>,
  url: string,
): JudgeReply => {
  if (status >= 300 && status < 400)
    return {
      kind: 'refused',
      type: 'config',
      reason: `${url} answered ${redirectReason(status, location)}`,
    };
  const said = `${url} answered ${status}: ${body.slice(0, 200)}`;
  if (status === 401 || status === 403)
    return { kind: 'refused', type: 'auth', reason: `${said}; give the judge's API key` };
  if (status === 404)
    return { kind: 'refused', type: 'config', reason: `${said}; correct the judge's address or its model's name` };
  if (isPassingStatus(status))
    return {
      kind: 'retry',
      reason: said,
      afterMs: retryAfterMs(retryAfter) ?? null,
      away: status >= 500,
      absent: status === 503,
    };
  return { kind: 'rejected', reason: said };
};
