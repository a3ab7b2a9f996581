import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, mkdtemp, rm, utimes } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { folderPrefix, meetingSocket, sweepFolders } from '../../sandbox/sweep-folders.ts';

const temporaryFolder = async (): Promise<string> => {
  const made = await mkdtemp(join(tmpdir(), 'sweep-test-'));
  onTestFinished(() => rm(made, { recursive: true, force: true }));
  return made;
};

const makeFolder = async (temporary: string, name: string): Promise<string> => {
  const folder = join(temporary, `${folderPrefix}${name}`);
  await mkdir(join(folder, 'meeting'), { recursive: true });
  await mkdir(join(folder, 'scratch'));
  return folder;
};

const age = (folder: string, seconds: number): Promise<void> => {
  const then = Date.now() / 1000 - seconds;
  return utimes(folder, then, then);
};

/** Leaves the socket of a process that was killed while it listened. */
const leaveSocket = async (path: string): Promise<void> => {
  const listens = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => console.log('listens'))`;
  const child = spawn(process.execPath, ['-e', listens], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  child.kill('SIGKILL');
  await once(child, 'exit');
  await access(path);
};

test('deletes the folder of a killed supervisor, and none that is served or begins', async () => {
  const temporary = await temporaryFolder();
  const [killed, fresh, served, begins, never] = await Promise.all(
    ['killed', 'fresh', 'served', 'begins', 'never'].map((name) => makeFolder(temporary, name)),
  );
  if (!killed || !fresh || !served || !begins || !never) throw new Error('expected five folders');
  await leaveSocket(meetingSocket(killed));
  await leaveSocket(meetingSocket(fresh));
  const server = createServer().listen(meetingSocket(served));
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
  });
  await mkdir(join(temporary, 'something-else'));
  for (const folder of [killed, served, never]) await age(folder, 3600);

  expect((await sweepFolders(temporary)).sort()).toEqual([killed, never].sort());
  for (const folder of [fresh, served, begins]) await access(folder);
});
