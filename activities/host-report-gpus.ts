import { execa } from 'execa';
import type { HostGpu } from '../domain/lease-host.ts';

/** The GPUs of a host; `fault` says why those that are there cannot be used. */
export interface GpuReading {
  readonly gpus: readonly HostGpu[];
  readonly fault: string | null;
}

/** A driver in trouble lets its tool hang, and so may every process that touches it. */
const answerMs = 10_000;

const gpuFields = 'index,uuid,name,memory.total,memory.used';

const rows = (csv: string): string[][] =>
  csv
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => line.split(',').map((cell) => cell.trim()));

const wholeNumber = (text: string | undefined): number | undefined =>
  text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;

/**
 * Reads the CSV of `nvidia-smi --query-gpu=index,uuid,name,memory.total,memory.used` and that of
 * `--query-compute-apps=gpu_uuid`, both without header and units. A GPU whose memory cannot be read, `[N/A]` or
 * `[Unknown Error]`, is left out and named in the fault.
 */
export const parseGpus = (gpuCsv: string, processCsv: string): GpuReading => {
  const busy = new Set(rows(processCsv).map(([uuid]) => uuid));
  const gpus: HostGpu[] = [];
  const broken: string[] = [];
  for (const [index, uuid, model, total, used] of rows(gpuCsv)) {
    const [number, memoryMiB, usedMiB] = [index, total, used].map(wholeNumber);
    if (number === undefined || memoryMiB === undefined || usedMiB === undefined || !model)
      broken.push(index ?? 'unknown');
    else gpus.push({ index: number, model, memoryMiB, usedMiB, busy: busy.has(uuid) });
  }
  const fault = gpus.length === 0 && broken.length > 0 ? `the driver cannot read GPU ${broken.join(', ')}` : null;
  return { gpus, fault };
};

const query = (program: string, option: string) =>
  execa(program, [option, '--format=csv,noheader,nounits'], {
    reject: false,
    timeout: answerMs,
    forceKillAfterDelay: 1000,
    stdin: 'ignore',
  });

/**
 * Asks NVIDIA's driver for the GPUs of this host and for those that compute. A host without its tool has none.
 *
 * @param program path or name of `nvidia-smi`
 */
export const readGpus = async (program = 'nvidia-smi'): Promise<GpuReading> => {
  const gpus = await query(program, `--query-gpu=${gpuFields}`);
  if (gpus.code === 'ENOENT') return { gpus: [], fault: null };
  const processes = gpus.failed ? gpus : await query(program, '--query-compute-apps=gpu_uuid');
  if (!gpus.failed && !processes.failed) return parseGpus(gpus.stdout, processes.stdout);
  const said = `${processes.stdout} ${processes.stderr}`.trim().split('\n')[0] ?? '';
  // The tool without a driver or without a device is on many images of hosts that have no GPU.
  if (/no devices were found/i.test(said)) return { gpus: [], fault: null };
  const why = processes.timedOut ? `did not answer within ${answerMs / 1000} s` : `failed: ${said.slice(0, 200)}`;
  return { gpus: [], fault: `${program} ${why}` };
};
