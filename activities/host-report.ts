import { readFile } from 'node:fs/promises';
import { availableParallelism, freemem, hostname, totalmem } from 'node:os';
import { LensmithError } from '../domain/errors.ts';
import type { HostReport } from '../domain/lease-host.ts';
import { freeBytes } from '../processes/disk-space.ts';
import { listProcesses, processIdVariable } from '../processes/find-processes.ts';
import { readEnvironment } from '../processes/proc-stat.ts';
import type { Host } from './host.ts';
import { readGpus } from './host-report-gpus.ts';

const maxPrograms = 8;
const mebibyte = 2 ** 20;

/** What a person says of a host: how much of it the pool may give out. */
export interface HostOffer {
  readonly cpus: number;
  readonly ports: readonly [number, number] | null;
  readonly labels: Readonly<Record<string, string>>;
  /** Silence after which the pool may give what is leased here to others. */
  readonly silenceSeconds: number;
}

const badSetting = (where: string, expected: string, came: string): LensmithError =>
  new LensmithError('config', `expected ${expected}, got "${came}"`, { where });

const readPorts = (text: string): [number, number] | null => {
  if (text === 'none') return null;
  const [, from, to] = (/^(\d+)-(\d+)$/.exec(text) ?? []).map(Number);
  if (from === undefined || to === undefined || from < 1024 || to > 65_535 || from > to)
    throw badSetting('LENSMITH_PORTS', 'first and last port such as 20000-24999, or none', text);
  return [from, to];
};

const readLabels = (text: string): Record<string, string> =>
  Object.fromEntries(
    text
      .split(',')
      .filter((pair) => pair.trim() !== '')
      .map((pair): [string, string] => {
        const [, key, value] = /^\s*([^=\s]+)=(.*?)\s*$/.exec(pair) ?? [];
        if (key === undefined || value === undefined)
          throw badSetting('LENSMITH_LABELS', 'labels such as zone=a,gpu=h100', text);
        return [key, value];
      }),
  );

/**
 * Reads `LENSMITH_CPUS`, `LENSMITH_PORTS`, `LENSMITH_LABELS` and `LENSMITH_SILENCE_SECONDS`; without them all processors,
 * the ports 20000 to 24999, below those that the kernel gives to outgoing connections, no label, and 15 minutes, in which
 * a worker can be restarted or upgraded.
 *
 * @throws LensmithError `config` where one of them is not valid
 */
export const hostOfferFromEnvironment = (env: NodeJS.ProcessEnv = process.env): HostOffer => {
  const cpus = env.LENSMITH_CPUS ?? String(availableParallelism());
  if (!/^[1-9]\d{0,4}$/.test(cpus)) throw badSetting('LENSMITH_CPUS', 'a number of processor slots', cpus);
  return {
    cpus: Number(cpus),
    ports: readPorts(env.LENSMITH_PORTS ?? '20000-24999'),
    labels: readLabels(env.LENSMITH_LABELS ?? ''),
    silenceSeconds: readSilence(env.LENSMITH_SILENCE_SECONDS ?? String(defaultSilenceSeconds)),
  };
};

const defaultSilenceSeconds = 900;

const readSilence = (text: string): number => {
  const seconds = Number(text);
  if (!Number.isInteger(seconds) || seconds < 10 || seconds > 1200)
    throw badSetting('LENSMITH_SILENCE_SECONDS', 'whole seconds from 10 to 1200', text);
  return seconds;
};

const machineId = async (): Promise<string> => {
  const id = await readFile('/etc/machine-id', 'utf8').catch(() => '');
  return `${hostname()}/${id.trim()}`;
};

/** Programs of runs that live on this host, by their ids, in order; the services of a stack have ids without a run. */
export const livingPrograms = (): string[] => {
  const ids = listProcesses().flatMap(({ pid }) => readEnvironment(pid).get(processIdVariable) ?? []);
  return [...new Set(ids)].filter((id) => id.includes('/')).sort();
};

/** Looks at what a host has and what runs on it; without what it knows of the holders of its leases. */
export const readHostReport = async (
  host: Pick<Host, 'name' | 'home'>,
  offer: HostOffer,
): Promise<Omit<HostReport, 'alive' | 'ended'>> => {
  const [{ gpus, fault }, free, machine] = await Promise.all([readGpus(), freeBytes(host.home), machineId()]);
  return {
    name: host.name,
    machine,
    gpus: [...gpus],
    gpuFault: fault,
    cpus: offer.cpus,
    memoryMiB: Math.floor(totalmem() / mebibyte),
    freeMemoryMiB: Math.floor(freemem() / mebibyte),
    freeDiskMiB: Math.floor(free / mebibyte),
    ports: offer.ports ? [...offer.ports] : null,
    labels: { ...offer.labels },
    silenceSeconds: offer.silenceSeconds,
    programs: livingPrograms().slice(0, maxPrograms),
  };
};
