import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = resolve(fileURLToPath(new URL('../..', import.meta.url)));

/** Folder of everything that belongs to the local stack of a home. */
export const stackDir = (home: string): string => join(home, 'stack');

/** Names the stack of a home among all of this host; every process of the stack carries it as its run id. */
export const stackId = (home: string): string =>
  `stack-${createHash('sha256').update(resolve(home)).digest('hex').slice(0, 10)}`;

export const servicesPath = (home: string): string => join(stackDir(home), 'services.json');
export const statePath = (home: string): string => join(stackDir(home), 'state.json');

/** Folder of the ledger, the log and the restarts of one service. */
export const serviceDir = (home: string, name: string): string => join(stackDir(home), 'services', name);
export const serviceProcessId = (home: string, name: string): string => `${stackId(home)}/${name}`;
export const readyFile = (home: string, name: string): string => join(stackDir(home), `${name}.ready`);

export const supervisorName = 'supervisor';

/** Unix sockets allow about 100 characters, which Ray's own names nearly fill: its folder cannot lie in the home. */
export const rayDir = (home: string): string => join('/tmp', `lensmith-${stackId(home)}`);
