import { glob, readFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findImports } from './find-imports.ts';

interface Layer {
  /** Folders whose modules it may import as values. */
  readonly values: readonly string[];
  /** Folders of which it may import types only. */
  readonly types?: readonly string[];
  readonly knowsTemporal?: boolean;
}

const belowEvaluation = ['domain', 'http', 'processes', 'sandbox', 'scoring', 'episodes', 'datasets'];

/** What each folder may import beside itself. Folders that are not listed put the others together and are free. */
const layers: Readonly<Record<string, Layer>> = {
  domain: { values: [] },
  http: { values: ['domain'] },
  sandbox: { values: ['domain', 'http'] },
  scoring: { values: ['domain', 'http', 'processes'] },
  processes: { values: ['domain'] },
  episodes: { values: ['domain', 'http', 'sandbox'] },
  datasets: { values: ['domain', 'http', 'processes', 'sandbox', 'scoring', 'episodes'] },
  evaluation: { values: belowEvaluation },
  dashboard: { values: [...belowEvaluation, 'evaluation'] },
  activities: { values: [...belowEvaluation, 'evaluation', 'dashboard'], knowsTemporal: true },
  workflows: { values: ['domain'], types: ['activities'], knowsTemporal: true },
};

/** The faults of one file, one line each: `<file>:<line>: <what is wrong>`. */
export const layerFaults = (file: string, source: string): string[] => {
  const folder = file.split('/')[0] ?? '';
  const layer = layers[folder];
  if (!layer) return [];
  return findImports(source).flatMap(({ module, typeOnly, line }) => {
    const place = `${file}:${line}`;
    if (module.startsWith('@temporalio/') && !layer.knowsTemporal)
      return [`${place}: ${folder}/ knows nothing of Temporal, but imports ${module}`];
    if (!module.startsWith('.')) return [];
    const target = join(dirname(file), module).split(sep)[0] ?? '';
    if (target === folder || layer.values.includes(target)) return [];
    if (!layer.types?.includes(target)) return [`${place}: ${folder}/ may not import ${target}/ (${module})`];
    return typeOnly
      ? []
      : [`${place}: ${folder}/ may import only types of ${target}/; write "import type" (${module})`];
  });
};

const checkout = resolve(fileURLToPath(new URL('..', import.meta.url)));

const checkAll = async (): Promise<void> => {
  const faults: string[] = [];
  let files = 0;
  for await (const path of glob(`{${Object.keys(layers).join(',')}}/**/*.ts`, { cwd: checkout })) {
    files += 1;
    const file = relative(checkout, join(checkout, path)).replaceAll(sep, '/');
    faults.push(...layerFaults(file, await readFile(join(checkout, path), 'utf8')));
  }
  for (const fault of faults) process.stdout.write(`${fault}\n`);
  process.stdout.write(`${files} files, ${faults.length} faults\n`);
  process.exitCode = faults.length > 0 || files === 0 ? 1 : 0;
};

if (import.meta.main) await checkAll();
