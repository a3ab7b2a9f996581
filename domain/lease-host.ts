import { z } from 'zod';
import { poolNameSchema } from './lease.ts';

const count = z.int().nonnegative();

/** A GPU as its driver shows it. */
export const hostGpuSchema = z.strictObject({
  index: count,
  model: z.string(),
  memoryMiB: count,
  /** Memory in use now, MiB. */
  usedMiB: count,
  /** Whether a process computes on it. */
  busy: z.boolean(),
});
export type HostGpu = z.infer<typeof hostGpuSchema>;

/** What a host tells the pool of itself, when it starts and then at every renewal. */
export const hostReportSchema = z.strictObject({
  name: poolNameSchema,
  /** Tells two machines with one name apart: the machine's own id, the same over restarts. */
  machine: z.string().min(1),
  gpus: z.array(hostGpuSchema).max(64),
  /** Why the GPUs cannot be used though there are some; null where they can. */
  gpuFault: z.string().max(300).nullable(),
  cpus: count,
  memoryMiB: count,
  /** Memory that is not in use, MiB. */
  freeMemoryMiB: count,
  /** Free disk below the host's home, MiB. */
  freeDiskMiB: count,
  /** First and last port that may be leased; null leases none. */
  ports: z.tuple([z.int().min(1024).max(65_535), z.int().min(1024).max(65_535)]).nullable(),
  labels: z.record(z.string(), z.string()),
  /**
   * Silence after which its leases end; the pool's own limit where it is absent. The host ends its programs by itself
   * before that time, so it may not be longer than the host believes, and not so long that a stage gives its lease back
   * before, which it does where no worker of the host takes its work up for 15 minutes.
   */
  silenceSeconds: z.int().min(10).max(1200).optional(),
  /** Programs of runs that live there, as `<run>/<stage>/<attempt>`; the first few. */
  programs: z.array(z.string()).max(8),
  /** Leases whose holders live, as far as the host could find out. */
  alive: z.array(z.string()),
  /** Leases whose holders have ended. */
  ended: z.array(z.string()),
});
export type HostReport = z.infer<typeof hostReportSchema>;
