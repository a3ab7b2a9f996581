/** What a stage's key is the digest of. */
export interface KeyParts {
  readonly stage: string;
  /** Version of the stage's code. */
  readonly code: number;
  /** The resolved values that the stage's result depends on. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Digests of the artifacts and files that the stage reads. */
  readonly inputs: Readonly<Record<string, string>>;
}

/** Where the values of a stage's config stand in the run spec; others stand at its top. */
const sections: Readonly<Record<string, { readonly path: string; readonly top: readonly string[] }>> = {
  'prepare-data': { path: '', top: [] },
  'base-model': { path: 'baseModel', top: ['seed', 'device'] },
  sft: { path: 'sft', top: ['seed', 'device'] },
  rl: { path: 'rl', top: ['seed', 'device'] },
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const show = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value) ?? String(value)));

const differences = (before: unknown, after: unknown, path: string): string[] => {
  if (isRecord(before) && isRecord(after))
    return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
      differences(before[key], after[key], path === '' ? key : `${path}.${key}`),
    );
  const [from, to] = [show(before), show(after)];
  return from === to ? [] : [`${path} ${from} → ${to}`];
};

/**
 * The parts in which two keys of a stage differ, a line each: values by their path in the run spec, inputs by name, the
 * version of the code.
 *
 * @example
 * keyChanges(before, after); // ['rl.learningRate 0.0001 → 0.001', 'its input sft is another one']
 */
export const keyChanges = (before: KeyParts, after: KeyParts): string[] => {
  const { path, top } = sections[after.stage] ?? { path: '', top: [] };
  const place = (key: string): string => (path === '' || top.includes(key) ? key : `${path}.${key}`);
  const keys = [...new Set([...Object.keys(before.config), ...Object.keys(after.config)])];
  const names = [...new Set([...Object.keys(before.inputs), ...Object.keys(after.inputs)])];
  return [
    ...keys.flatMap((key) => differences(before.config[key], after.config[key], place(key))),
    ...names
      .filter((name) => before.inputs[name] !== after.inputs[name])
      .map((name) => `its input ${name} is another one`),
    ...(before.code === after.code ? [] : [`version of the stage's code ${before.code} → ${after.code}`]),
  ];
};
