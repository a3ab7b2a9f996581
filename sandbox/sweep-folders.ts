import { readdir, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';

/** Begins the name of the folder that a fork server has in the folder of temporary files. */
export const folderPrefix = 'lensmith-sandbox-';

/** Socket in the folder of a fork server on which its sessions report. */
export const meetingSocket = (folder: string): string => join(folder, 'meeting', 'sessions.sock');

/** A fork server makes its folder, then its socket, and then listens: one that does so now is not abandoned. */
const restMs = { abandoned: 5000, absent: 60_000 };

const answer = (socket: string): Promise<'served' | 'abandoned' | 'absent'> =>
  new Promise((resolve) => {
    const connection = connect(socket);
    connection.once('connect', () => {
      connection.destroy();
      resolve('served');
    });
    // Anything else than a socket without a listener, such as one that is busy or another user's, is not ours to judge.
    connection.once('error', (error: NodeJS.ErrnoException) =>
      resolve(error.code === 'ECONNREFUSED' ? 'abandoned' : error.code === 'ENOENT' ? 'absent' : 'served'),
    );
  });

const isAbandoned = async (folder: string): Promise<boolean> => {
  const found = await answer(meetingSocket(folder));
  if (found === 'served') return false;
  const made = await stat(folder).catch(() => undefined);
  return made !== undefined && Date.now() - made.mtimeMs > restMs[found];
};

/**
 * Deletes the folders of fork servers whose supervisor was killed before it could: nobody listens in them any more.
 *
 * @param temporary - The folder of temporary files that holds them.
 * @returns Their paths.
 */
export const sweepFolders = async (temporary: string): Promise<string[]> => {
  const names = (await readdir(temporary).catch(() => [])).filter((name) => name.startsWith(folderPrefix));
  const swept = await Promise.all(
    names.map(async (name) => {
      const folder = join(temporary, name);
      if (!(await isAbandoned(folder))) return [];
      return rm(folder, { recursive: true, force: true }).then(
        () => [folder],
        // Another user's: that user's next fork server sweeps it.
        () => [],
      );
    }),
  );
  return swept.flat();
};
