import { type LeaseRequest, type LeaseRequestInput, leaseRequestSchema } from '../../domain/lease.ts';
import type { HostReport } from '../../domain/lease-host.ts';

/** A host's report: 8 GPUs of 80 GiB, 64 slots, 1 TiB of memory. */
export const report = (name: string, changes: Partial<HostReport> & { gpuCount?: number } = {}): HostReport => {
  const { gpuCount = 8, ...others } = changes;
  return {
    name,
    machine: `machine-of-${name}`,
    gpus: Array.from({ length: gpuCount }, (_, index) => ({
      index,
      model: 'H100',
      memoryMiB: 81_559,
      usedMiB: 4,
      busy: false,
    })),
    gpuFault: null,
    cpus: 64,
    memoryMiB: 1_048_576,
    freeMemoryMiB: 1_000_000,
    freeDiskMiB: 1_000_000,
    ports: [20_000, 20_999],
    labels: {},
    programs: [],
    alive: [],
    ended: [],
    ...others,
  };
};

/** A request of one group a request, unless told otherwise. */
export const request = (
  id: string,
  parts: LeaseRequestInput['parts'],
  changes: Partial<LeaseRequestInput> = {},
): LeaseRequest => leaseRequestSchema.parse({ id, group: id, holder: `holder/${id}`, parts, ...changes });
