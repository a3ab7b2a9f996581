import { access, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** What the peers need beyond the libraries of model code. */
const packages = [
  'jupyter_client==8.6.3',
  'ipykernel==6.29.5',
  'fastapi==0.115.12',
  'uvicorn==0.34.2',
  'structlog==23.3.0',
  'psutil==5.9.8',
  'aiofiles==23.2.1',
  'aiohttp==3.11.18',
  'tenacity==8.5.0',
  'databases[aiosqlite]==0.9.0',
  'PyYAML==6.0.2',
];

/**
 * A virtual environment of the peers in `cache`, made at the first time; returns its interpreter.
 *
 * It sees the libraries of `python`, so that what code imports is the same for all.
 */
export const peerEnvironment = async (python: string, cache: string): Promise<string> => {
  const folder = join(cache, 'sandbox-peers');
  const own = join(folder, 'bin', 'python');
  const complete = join(folder, 'complete');
  const known = await access(complete).then(
    () => true,
    () => false,
  );
  if (known) return own;
  await mkdir(cache, { recursive: true });
  await execa(python, ['-m', 'venv', folder]);
  await execa(own, ['-m', 'pip', 'install', '--quiet', ...packages], { timeout: 600_000, stdout: 2, stderr: 2 });
  const site = (code: string) => ['-c', `import sysconfig; print(sysconfig.get_path("${code}"))`];
  const { stdout: shared } = await execa(python, site('purelib'));
  const { stdout: private_ } = await execa(own, site('purelib'));
  await writeFile(join(private_, 'libraries.pth'), `${shared}\n`);
  // SandboxFusion looks for the root of a conda by this folder, and for `bin/activate` in it.
  await mkdir(join(folder, 'condabin'), { recursive: true });
  await writeFile(complete, '');
  return own;
};
