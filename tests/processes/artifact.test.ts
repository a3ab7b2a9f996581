import { execFile } from 'node:child_process';
import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { artifactManifestSchema } from '../../domain/artifact.ts';
import { listCheckpoints, newestCheckpoint, publishArtifact, verifyArtifact } from '../../processes/artifact.ts';
import { temporaryFolder } from './temporary-folder.ts';

// printf 'hello\n' | sha256sum; printf '' | sha256sum; printf 'x' | sha256sum
const sha256 = {
  hello: '5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03',
  empty: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  x: '2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881',
};

const filled = async (): Promise<string> => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'sub'));
  await writeFile(join(dir, 'b.txt'), 'hello\n');
  await writeFile(join(dir, 'Z.bin'), '');
  await writeFile(join(dir, 'sub', 'a.txt'), 'x');
  return dir;
};

const checkpoint = async (dir: string, step: number): Promise<string> => {
  const path = join(dir, `checkpoint-${step}`);
  await mkdir(path, { recursive: true });
  await writeFile(join(path, 'weights'), `weights of step ${step}`);
  await publishArtifact(path, 'checkpoint', { step });
  return path;
};

test('a manifest lists every file with its size and digest, by code unit', async () => {
  const dir = await filled();
  const ref = await publishArtifact(dir, 'dataset', { seed: 7 });
  const manifest = artifactManifestSchema.parse(JSON.parse(await readFile(join(dir, 'manifest.json'), 'utf8')));
  expect(manifest.files).toEqual([
    { path: 'Z.bin', size: 0, sha256: sha256.empty },
    { path: 'b.txt', size: 6, sha256: sha256.hello },
    { path: 'sub/a.txt', size: 1, sha256: sha256.x },
  ]);
  expect(ref).toEqual({ kind: 'dataset', path: dir, digest: manifest.digest, details: { seed: 7 } });
});

test('the digest is what sha256sum gives for the lines of the files', async () => {
  const dir = await filled();
  const { digest } = await publishArtifact(dir, 'model', {});
  const script = `export LC_ALL=C; find . -type f ! -name manifest.json -printf '%P\\n' | sort |
    while read -r f; do printf '%s %s %s\\n' "$f" "$(stat -c %s "$f")" "$(sha256sum <"$f" | cut -d' ' -f1)"; done | sha256sum`;
  const { stdout } = await promisify(execFile)('sh', ['-c', script], { cwd: dir });
  expect(`${digest}  -\n`).toBe(stdout);
  expect(digest).toBe('3732d3af64b4f1ec1a9ef3bcb469bea558c2db68aa68ed31cbe041e12c781b38');
});

test('a second publication of the same files has the same digest', async () => {
  const dir = await filled();
  const first = await publishArtifact(dir, 'dataset', { seed: 1 });
  expect((await publishArtifact(dir, 'dataset', { seed: 2 })).digest).toBe(first.digest);
});

test('a whole artifact is verified', async () => {
  const dir = await filled();
  const { digest } = await publishArtifact(dir, 'dataset', {});
  expect(await verifyArtifact(dir, { deep: true })).toMatchObject({ ok: true, manifest: { digest } });
});

test.each([
  ['a missing file', (dir: string) => rm(join(dir, 'b.txt')), /b\.txt is missing/],
  ['a shorter file', (dir: string) => writeFile(join(dir, 'b.txt'), 'hel'), /3 bytes instead of 6/],
  ['no manifest', (dir: string) => rm(join(dir, 'manifest.json')), /has no manifest\.json/],
  ['a torn manifest', (dir: string) => writeFile(join(dir, 'manifest.json'), '{"version":1,'), /is not JSON/],
  ['a manifest of another shape', (dir: string) => writeFile(join(dir, 'manifest.json'), '{"version":2}'), /version/],
])('%s is found without reading the contents', async (_, damage, reason) => {
  const dir = await filled();
  await publishArtifact(dir, 'dataset', {});
  await damage(dir);
  expect(await verifyArtifact(dir, { deep: false })).toEqual({ ok: false, reason: expect.stringMatching(reason) });
});

test('changed content of the same size is found by a deep look only', async () => {
  const dir = await filled();
  await publishArtifact(dir, 'dataset', {});
  await writeFile(join(dir, 'b.txt'), 'hallo\n');
  expect(await verifyArtifact(dir, { deep: false })).toMatchObject({ ok: true });
  expect(await verifyArtifact(dir, { deep: true })).toMatchObject({
    ok: false,
    reason: expect.stringContaining('b.txt'),
  });
});

test('a manifest that was edited does not fit its own digest', async () => {
  const dir = await filled();
  await publishArtifact(dir, 'dataset', {});
  const path = join(dir, 'manifest.json');
  await writeFile(path, (await readFile(path, 'utf8')).replace(sha256.hello, sha256.x));
  expect(await verifyArtifact(dir, { deep: false })).toMatchObject({
    ok: false,
    reason: expect.stringMatching(/digest/),
  });
});

test('a link is no part of an artifact', async () => {
  const dir = await filled();
  await symlink('/etc/hostname', join(dir, 'link'));
  await expect(publishArtifact(dir, 'dataset', {})).rejects.toMatchObject({ type: 'data', where: join(dir, 'link') });
});

test('the newest whole checkpoint is found by its number, past torn and temporary ones', async () => {
  const dir = await temporaryFolder();
  await checkpoint(dir, 9);
  await checkpoint(dir, 10);
  await writeFile(join(await checkpoint(dir, 20), 'weights'), 'WEIGHTS of step 20');
  await rm(join(await checkpoint(dir, 30), 'manifest.json'));
  await mkdir(join(dir, 'checkpoint-40.tmp'));
  expect(await newestCheckpoint(dir)).toMatchObject({ step: 10, path: join(dir, 'checkpoint-10'), kind: 'checkpoint' });
  expect((await listCheckpoints(dir)).map(({ step }) => step)).toEqual([9, 10, 20]);
});

test('a folder without checkpoints, or none at all, has no newest one', async () => {
  const dir = await temporaryFolder();
  expect(await newestCheckpoint(dir)).toBeUndefined();
  expect(await newestCheckpoint(join(dir, 'none'))).toBeUndefined();
  expect(await listCheckpoints(join(dir, 'none'))).toEqual([]);
});
