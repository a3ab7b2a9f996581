import { z } from 'zod';

/** How to see that a service does its work, beyond that its process lives. */
export const probeSchema = z.discriminatedUnion('kind', [
  /** Answers GET with a 2xx status, to the bearer of the token where there is one. */
  z.strictObject({ kind: z.literal('http'), url: z.url(), token: z.string().optional() }),
  /** A command that exits with 0. */
  z.strictObject({ kind: z.literal('command'), command: z.array(z.string()).min(1) }),
  /** The service has made the file that `LENSMITH_READY_FILE` names. */
  z.strictObject({ kind: z.literal('file') }),
  /** The service renews the file that `LENSMITH_READY_FILE` names at least this often. */
  z.strictObject({ kind: z.literal('pulse'), withinSeconds: z.number().positive() }),
]);
export type Probe = z.infer<typeof probeSchema>;

/** How to see that a service which was ready still works: one that hangs is stopped and started again. */
export const alivenessSchema = z.strictObject({
  /** All have to pass. */
  probes: z.array(probeSchema).min(1),
  /** Time between two looks, milliseconds. */
  everyMs: z.int().positive(),
  /** Looks in a row that have to fail. */
  misses: z.int().positive(),
});
export type Aliveness = z.infer<typeof alivenessSchema>;

/** One program of the stack, as data: the supervisor reads it from `services.json`. */
export const serviceSchema = z.strictObject({
  name: z.string().regex(/^[a-z][a-z0-9-]*$/),
  /** Workers start programs of runs, so they are stopped first. */
  role: z.enum(['server', 'worker']),
  command: z.array(z.string()).min(1),
  cwd: z.string(),
  env: z.record(z.string(), z.string()),
  /** Ports of the loopback that it listens on. */
  ports: z.array(z.int()),
  /** Shown to people; empty where it listens nowhere. */
  address: z.string(),
  ready: probeSchema,
  /** Without it a service counts as alive as long as its process lives. */
  alive: alivenessSchema.optional(),
  /** Services that have to be ready before this one is started. */
  after: z.array(z.string()),
});
export type Service = z.infer<typeof serviceSchema>;

export const servicesSchema = z.strictObject({ version: z.literal(1), services: z.array(serviceSchema) });
