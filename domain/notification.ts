import { z } from 'zod';
import { failureTypes } from './errors.ts';
import { stageNameSchema } from './stage.ts';

/** What a run tells of itself. */
export const notificationEvents = [
  'started',
  'completed',
  'failed',
  'cancelled',
  'paused',
  'resumed',
  /** A stage stood still and was stopped; it is tried again. */
  'stalled',
  /** What the spec allows to be used is nearly used up. */
  'budget',
  /** The best checkpoint does worse than it has to, and is not promoted. */
  'held',
  /** A nightly evaluation does worse than its checkpoint did when it was promoted. */
  'regressed',
] as const;
export type NotificationEvent = (typeof notificationEvents)[number];

/** `notify` of the run spec: where a run tells what happens to it. */
export const notifySchema = z
  .strictObject({
    /** Address that takes a JSON object with `text`, as the incoming webhooks of Slack, Mattermost and Rocket.Chat do. */
    url: z
      .url({ protocol: /^https?$/ })
      .nullable()
      .default(null),
    /** Variable in the environment of the host worker that holds the address, where it is a secret. */
    urlVariable: z.string().nullable().default(null),
    /** Variable in the environment of the host worker that holds a token, sent as `authorization: Bearer`. */
    tokenVariable: z.string().nullable().default(null),
    on: z.array(z.enum(notificationEvents)).default([...notificationEvents]),
  })
  .refine(({ url, urlVariable }) => (url === null) !== (urlVariable === null), {
    error: 'expected either "url" or "urlVariable"',
  })
  // The JSON Schema knows nothing of a refinement.
  .meta({
    oneOf: ['url', 'urlVariable'].map((name) => ({ required: [name], properties: { [name]: { type: 'string' } } })),
  });
export type NotifySpec = z.infer<typeof notifySchema>;

/** One thing that happened to a run. */
export const notificationSchema = z.strictObject({
  /** The same in every attempt to deliver it, so that a receiver may drop the second of two. */
  id: z.string(),
  event: z.enum(notificationEvents),
  run: z.string(),
  /** The run's family, `name` of the spec. */
  name: z.string(),
  workflowId: z.string(),
  stage: stageNameSchema.nullable(),
  /** Class of the failure. */
  failure: z.enum(failureTypes).nullable(),
  message: z.string(),
  /** Unix time, milliseconds. */
  at: z.number(),
});
export type Notification = z.infer<typeof notificationSchema>;

const marks: Readonly<Record<NotificationEvent, string>> = {
  started: '▶',
  completed: '✅',
  failed: '❌',
  cancelled: '⏹',
  paused: '⏸',
  resumed: '▶',
  stalled: '⚠️',
  budget: '⚠️',
  held: '⚠️',
  regressed: '⚠️',
};

/** Slack reads these three as markup. */
const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

/** One or two lines for a person: what happened to which run, where, and why. */
export const notificationText = ({ event, run, stage, failure, message }: Notification): string => {
  const where = stage === null ? '' : ` in ${stage}`;
  const why = failure === null ? '' : ` (${failure})`;
  return escaped(`${marks[event]} ${run}: ${event}${where}${why}${message === '' ? '' : `\n${message}`}`);
};
