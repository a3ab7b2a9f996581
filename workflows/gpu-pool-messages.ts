import { defineQuery, defineSignal, defineUpdate } from '@temporalio/workflow';
import type { Pool } from '../domain/gpu-pool.ts';
import type { HostOrders } from '../domain/gpu-pool-hosts.ts';
import type { LeaseAnswer, LeaseRelease, LeaseRequestInput } from '../domain/lease.ts';
import type { HostReport } from '../domain/lease-host.ts';

/** Id of the one pool of a namespace. */
export const poolWorkflowId = 'gpu-pool';

/** Asks for a lease; the pool answers with `lease-answer`. For workflows, which cannot send updates. */
export const requestLeaseSignal = defineSignal<[LeaseRequestInput]>('request-lease');
/** Gives a lease back, or gives up waiting for it. */
export const releaseLeaseSignal = defineSignal<[LeaseRelease]>('release-lease');
/** Puts off the expiry of leases, for holders whose hosts cannot see them live. */
export const renewLeasesSignal = defineSignal<[string[]]>('renew-leases');
/** Sent by the pool to the holder: where its request stands, that it is granted, or that it has ended. */
export const leaseAnswerSignal = defineSignal<[LeaseAnswer]>('lease-answer');

/** As `request-lease`, but the answer of the moment comes back at once, and bad requests are refused unrecorded. */
export const acquireLeaseUpdate = defineUpdate<LeaseAnswer, [LeaseRequestInput]>('acquire-lease');
/** Takes a lease or a place in the queue away from its holder, who is told; returns whether there was one. */
export const takeBackLeaseUpdate = defineUpdate<boolean, [{ id: string }]>('take-back-lease');
/** Registers a host or renews it. */
export const reportHostUpdate = defineUpdate<HostOrders, [HostReport]>('report-host');
export const drainHostUpdate = defineUpdate<void, [{ host: string; draining: boolean }]>('drain-host');
export const removeHostUpdate = defineUpdate<void, [{ host: string }]>('remove-host');

export const poolQuery = defineQuery<Pool>('pool');
