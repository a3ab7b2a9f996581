import { z } from 'zod';

export const poolNameSchema = z.string().min(1).max(200);
const labels = z.record(z.string().min(1), z.string());
const count = z.int().nonnegative();

/** One kind of place that a lease asks for: `hosts` different hosts, and the same share of each. */
export const leasePartSchema = z.strictObject({
  /** Role of the part, such as `trainer` or `judge`; unique within its request. */
  name: z.string().min(1).max(60),
  hosts: z.int().min(1).max(1024).default(1),
  /** Whole GPUs on each host. */
  gpus: count.default(0),
  /** Least memory of each GPU, MiB. */
  gpuMemoryMiB: count.default(0),
  /** Processor slots on each host. */
  cpus: count.default(1),
  memoryMiB: count.default(0),
  /** Free disk that a host must have, MiB; looked at, not set aside. */
  diskMiB: count.default(0),
  /** Length of the block of ports on each host. */
  ports: count.default(0),
  /** Labels that a host must carry. */
  labels: labels.default({}),
  /** Only this host. */
  host: poolNameSchema.nullable().default(null),
  /** Parts of the same group, in this lease or another, that may not be on the same host. */
  apart: z.array(z.string()).max(16).default([]),
});
export type LeasePart = z.infer<typeof leasePartSchema>;

/** What a holder asks of the pool. All parts are granted at once, or none. */
export const leaseRequestSchema = z.strictObject({
  /** Chosen by the holder and the same each time it asks again: it tells a repeated request from a new one. */
  id: poolNameSchema,
  /** Leases of one group know each other for `apart`, and share one place in the fair queue; usually the run. */
  group: poolNameSchema,
  /** Workflow that holds the lease; with its end the lease ends. */
  holder: poolNameSchema,
  purpose: z.string().max(200).default(''),
  /** 1 goes first, 5 last, as in Temporal. */
  priority: z.int().min(1).max(5).default(3),
  /** Time without a sign of the holder after which the lease expires. */
  ttlSeconds: z.int().min(1).max(86_400).default(900),
  /** Longest wait in the queue; null waits for ever. */
  waitSeconds: z.int().min(1).nullable().default(null),
  parts: z.array(leasePartSchema).min(1).max(16),
});
export type LeaseRequest = z.infer<typeof leaseRequestSchema>;
export type LeaseRequestInput = z.input<typeof leaseRequestSchema>;

/** Gives a lease back, or gives up waiting for one. */
export const leaseReleaseSchema = z.strictObject({
  id: poolNameSchema,
  /** The lease's fence; null gives back whatever has the id. */
  fence: z.int().nullable(),
});
export type LeaseRelease = z.infer<typeof leaseReleaseSchema>;

/** What a lease holds on one host. */
export const placementSchema = z.strictObject({
  part: z.string(),
  host: z.string(),
  /** Indices as the host's driver counts them. */
  gpus: z.array(count),
  cpus: count,
  memoryMiB: count,
  /** First port and how many follow from it; null without ports. */
  ports: z.tuple([count, count]).nullable(),
  apart: z.array(z.string()),
});
export type Placement = z.infer<typeof placementSchema>;

/** A lease that is held. Times are Unix times in milliseconds. */
export const leaseSchema = z.strictObject({
  id: z.string(),
  group: z.string(),
  holder: z.string(),
  purpose: z.string(),
  priority: z.int(),
  /** Greater than that of every lease granted before: of two owners of a GPU the greater one is right. */
  fence: z.int().positive(),
  placements: z.array(placementSchema),
  ttlSeconds: z.int(),
  requestedAt: z.number(),
  grantedAt: z.number(),
  expiresAt: z.number(),
});
export type Lease = z.infer<typeof leaseSchema>;

/** Why a lease or a request is no more. */
export const leaseEndings = [
  'released',
  'taken_back',
  'expired',
  'host_lost',
  'holder_ended',
  'wait_over',
  'refused',
] as const;
export type LeaseEnding = (typeof leaseEndings)[number];

/** What the pool says of a request. */
export type LeaseAnswer =
  | { readonly id: string; readonly state: 'granted'; readonly lease: Lease }
  /** `place` counts from 1; `reason` says what is missing. */
  | { readonly id: string; readonly state: 'waiting'; readonly place: number; readonly reason: string }
  | { readonly id: string; readonly state: 'ended'; readonly ending: LeaseEnding; readonly reason: string };
