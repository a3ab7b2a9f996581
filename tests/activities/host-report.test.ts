import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hostOfferFromEnvironment, readHostReport } from '../../activities/host-report.ts';
import { parseGpus, readGpus } from '../../activities/host-report-gpus.ts';
import { hostReportSchema } from '../../domain/lease-host.ts';
import { temporaryFolder } from '../processes/temporary-folder.ts';

const driver = async (script: string): Promise<string> => {
  const path = join(await temporaryFolder(), 'nvidia-smi');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return path;
};

const twoGpus = '0, GPU-aa, NVIDIA H200, 143771, 5\n1, GPU-bb, NVIDIA H200, 143771, 98304';

describe('the GPUs of a host', () => {
  it('are read from what the driver prints, with those that compute', async () => {
    const program = await driver(`case "$1" in
      --query-gpu=*) printf '%s\\n' '0, GPU-aa, NVIDIA H200, 143771, 5' '1, GPU-bb, NVIDIA H200, 143771, 98304';;
      --query-compute-apps=*) printf '%s\\n' GPU-bb GPU-bb;;
    esac`);
    expect(await readGpus(program)).toEqual({
      gpus: [
        { index: 0, model: 'NVIDIA H200', memoryMiB: 143_771, usedMiB: 5, busy: false },
        { index: 1, model: 'NVIDIA H200', memoryMiB: 143_771, usedMiB: 98_304, busy: true },
      ],
      fault: null,
    });
  });

  it('that cannot be read are left out, and are the fault where none is left', () => {
    const broken = '0, GPU-aa, NVIDIA H200, [Unknown Error], [N/A]';
    expect(parseGpus(`${broken}\n${twoGpus.split('\n')[1]}`, '').gpus.map(({ index }) => index)).toEqual([1]);
    expect(parseGpus(broken, '')).toEqual({ gpus: [], fault: 'the driver cannot read GPU 0' });
  });

  it('are none where there is no driver or no device, and a fault where the driver fails', async () => {
    expect(await readGpus('/nowhere/nvidia-smi')).toEqual({ gpus: [], fault: null });
    const none = await driver('echo "No devices were found"; exit 6');
    expect(await readGpus(none)).toEqual({ gpus: [], fault: null });
    const mismatch = await driver('echo "Failed to initialize NVML: Driver/library version mismatch"; exit 18');
    expect((await readGpus(mismatch)).fault).toBe(
      `${mismatch} failed: Failed to initialize NVML: Driver/library version mismatch`,
    );
  });
});

describe('the report of this host', () => {
  it('is what the pool takes in', async () => {
    const home = await temporaryFolder();
    const facts = await readHostReport({ name: 'here', home }, hostOfferFromEnvironment({ LENSMITH_CPUS: '2' }));
    const report = hostReportSchema.parse({ ...facts, alive: [], ended: [] });
    expect(report).toMatchObject({ name: 'here', cpus: 2, ports: [20_000, 24_999], labels: {} });
    expect(report.memoryMiB).toBeGreaterThan(report.freeMemoryMiB - 1);
    expect(report.freeDiskMiB).toBeGreaterThan(0);
  });

  it('says what a person has set, and refuses what is not valid with the name of the setting', () => {
    expect(hostOfferFromEnvironment({ LENSMITH_PORTS: 'none', LENSMITH_LABELS: 'zone=a, gpu=h100' })).toMatchObject({
      ports: null,
      labels: { zone: 'a', gpu: 'h100' },
    });
    expect(() => hostOfferFromEnvironment({ LENSMITH_PORTS: '30-20' })).toThrow('such as 20000-24999');
    expect(() => hostOfferFromEnvironment({ LENSMITH_LABELS: 'zone' })).toThrow('got "zone"');
    expect(() => hostOfferFromEnvironment({ LENSMITH_CPUS: '0' })).toThrow('processor slots');
    expect(hostOfferFromEnvironment({ LENSMITH_SILENCE_SECONDS: '60' }).silenceSeconds).toBe(60);
    expect(() => hostOfferFromEnvironment({ LENSMITH_SILENCE_SECONDS: '5' })).toThrow('whole seconds from 10 to 1200');
  });
});
