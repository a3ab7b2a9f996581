/** Task queue of the workflows. */
export const controlQueue = 'lensmith';

/** Task queue of a host's worker; the same after every restart, so that a program is found again by its own host. */
export const hostQueue = (host: string): string => `lensmith-host-${host}`;
