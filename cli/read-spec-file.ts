import { readFile } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import { parseDocument } from 'yaml';
import { LensmithError } from '../domain/errors.ts';
import { parseRunSpec } from '../domain/parse-run-spec.ts';
import type { RunSpec } from '../domain/run-spec.ts';
import { isProtocolName } from '../episodes/load-protocol.ts';

const read = async (file: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new LensmithError('config', `expected a readable run spec: ${String(cause)}`, { where: file, cause });
  }
};

/** The value of a text in YAML or JSON; `where` names it in the message of a fault. */
const readYaml = (text: string, where: string): unknown => {
  const document = parseDocument(text);
  const [problem] = document.errors;
  if (problem) throw new LensmithError('config', problem.message, { where });
  try {
    return document.toJS();
  } catch (cause) {
    // An alias without its anchor is found only here.
    if (!(cause instanceof ReferenceError)) throw cause;
    throw new LensmithError('config', cause.message, { where, cause });
  }
};

/** Paths of a spec count from the folder of its file. */
const withAbsolutePaths = (spec: RunSpec, folder: string): RunSpec => {
  const absolute = (path: string): string => (isAbsolute(path) ? path : resolve(folder, path));
  const { data, baseModel, judge } = spec;
  return {
    ...spec,
    protocol: isProtocolName(spec.protocol) ? spec.protocol : absolute(spec.protocol),
    data:
      data.kind === 'mnist'
        ? { ...data, directory: data.directory === null ? null : absolute(data.directory) }
        : {
            ...data,
            sft: absolute(data.sft),
            rl: absolute(data.rl),
            validation: absolute(data.validation),
            test: absolute(data.test),
          },
    baseModel: baseModel.kind === 'pretrained' ? { ...baseModel, path: absolute(baseModel.path) } : baseModel,
    judge:
      judge.engine === 'none' || judge.model.startsWith('package:')
        ? judge
        : { ...judge, model: absolute(judge.model) },
  };
};

type Branch = Record<string, unknown> | unknown[];

const branchCopy = (value: unknown): Branch => {
  if (Array.isArray(value)) return [...value];
  return typeof value === 'object' && value !== null ? { ...value } : {};
};

/** Sets what `key` names; of a list it is the place of an element, or the first free one. */
const put = (branch: Branch, key: string, value: unknown, path: string): void => {
  if (!Array.isArray(branch)) {
    branch[key] = value;
    return;
  }
  const index = Number(key);
  if (!/^\d+$/.test(key) || index > branch.length)
    throw new LensmithError('config', `expected a place from 0 to ${branch.length} in the list, got "${key}"`, {
      where: `--set ${path}`,
    });
  branch[index] = value;
};

const setIn = (input: Record<string, unknown>, assignment: string): void => {
  const [path, text] = [assignment.slice(0, assignment.indexOf('=')), assignment.slice(assignment.indexOf('=') + 1)];
  if (!assignment.includes('=') || path === '')
    throw new LensmithError('config', `expected key=value, such as rl.steps=20, got "${assignment}"`, {
      where: '--set',
    });
  const keys = path.split('.');
  let branch: Branch = input;
  for (const key of keys.slice(0, -1)) {
    const next = branchCopy((branch as Record<string, unknown>)[key]);
    put(branch, key, next, path);
    branch = next;
  }
  put(branch, keys.at(-1) ?? '', readYaml(text, `--set ${path}`), path);
};

/**
 * Changes a spec by `key=value` assignments; new paths count from `folder`.
 *
 * @throws LensmithError `config` naming the assignment or the place in the spec.
 */
export const changeSpec = (spec: RunSpec, assignments: readonly string[], folder: string): RunSpec => {
  const input: Record<string, unknown> = { ...spec };
  for (const assignment of assignments) setIn(input, assignment);
  try {
    return withAbsolutePaths(parseRunSpec(input), folder);
  } catch (error) {
    if (!(error instanceof LensmithError)) throw error;
    throw new LensmithError(error.type, error.message, { where: '--set', cause: error });
  }
};

/**
 * Reads a run spec in YAML or JSON, changes it by `key=value` assignments and fills in the defaults.
 *
 * @throws LensmithError `config` naming the file and the place in it.
 */
export const readSpecFile = async (file: string, assignments: readonly string[] = []): Promise<RunSpec> => {
  const content = readYaml(await read(file), file);
  const input = typeof content === 'object' && content !== null ? { ...content } : content;
  if (typeof input === 'object' && input !== null)
    for (const assignment of assignments) setIn(input as Record<string, unknown>, assignment);
  try {
    return withAbsolutePaths(parseRunSpec(input), dirname(resolve(file)));
  } catch (error) {
    if (!(error instanceof LensmithError)) throw error;
    throw new LensmithError(error.type, error.message, { where: file, cause: error });
  }
};
