import { access } from 'node:fs/promises';
import { readJson, writeFileAtomic } from '../../processes/atomic-file.ts';
import { type Service, servicesSchema } from './service.ts';
import { servicesPath } from './stack-paths.ts';

/** The services that a home's supervisor keeps up; none where no stack was ever started. */
export const readServices = async (home: string): Promise<Service[]> => {
  const exists = await access(servicesPath(home)).then(
    () => true,
    () => false,
  );
  return exists ? (await readJson(servicesPath(home), servicesSchema)).services : [];
};

export const writeServices = (home: string, services: readonly Service[]): Promise<void> =>
  writeFileAtomic(servicesPath(home), `${JSON.stringify({ version: 1, services }, null, 2)}\n`);
