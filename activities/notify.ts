import { ApplicationFailure, Context } from '@temporalio/activity';
import { LensmithError } from '../domain/errors.ts';
import { type Notification, type NotifySpec, notificationText } from '../domain/notification.ts';

const answerMs = 10_000;

/** Answers that another attempt may change: the receiver is busy, or away for a while. */
const isPassing = (status: number): boolean => status === 408 || status === 425 || status === 429 || status >= 500;

const fromEnvironment = (variable: string, where: string): string => {
  const value = process.env[variable];
  if (value) return value;
  throw new LensmithError('auth', `expected a value in the variable ${variable} of the host worker, it is not set`, {
    where,
  });
};

const secondsOf = (header: string | null): number | undefined => {
  const seconds = Number(header ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : undefined;
};

/**
 * Posts what happened to a run, as JSON with `text` for a person and the typed fields beside it. The address itself may
 * be a secret, so no error names more of it than the host.
 *
 * @throws LensmithError `auth` where a variable is not set, `config` where the receiver refuses; `infrastructure` where
 * it may take it later.
 */
export const notify =
  () =>
  async (spec: NotifySpec, notification: Notification): Promise<void> => {
    const url = spec.url ?? fromEnvironment(spec.urlVariable ?? '', 'notify.urlVariable');
    if (!URL.canParse(url)) throw new LensmithError('config', 'expected an address', { where: 'notify.urlVariable' });
    const { host } = new URL(url);
    const token = spec.tokenVariable === null ? null : fromEnvironment(spec.tokenVariable, 'notify.tokenVariable');
    const { cancellationSignal } = Context.current();
    let answer: Response;
    try {
      answer = await fetch(url, {
        method: 'POST',
        headers: {
          'content-type': 'application/json',
          'idempotency-key': notification.id,
          ...(token === null ? {} : { authorization: `Bearer ${token}` }),
        },
        body: JSON.stringify({ text: notificationText(notification), ...notification }),
        redirect: 'error',
        signal: AbortSignal.any([AbortSignal.timeout(answerMs), cancellationSignal]),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new LensmithError('infrastructure', `${host} does not take a notification: ${cause}`, { where: 'notify' });
    }
    await answer.body?.cancel();
    if (answer.ok) return;
    const message = `${host} answered ${answer.status} to a notification`;
    if (!isPassing(answer.status)) throw new LensmithError('config', message, { where: 'notify' });
    const seconds = secondsOf(answer.headers.get('retry-after'));
    throw ApplicationFailure.create({
      type: 'infrastructure',
      message,
      ...(seconds === undefined ? {} : { nextRetryDelay: `${Math.min(seconds, 600)}s` }),
    });
  };
