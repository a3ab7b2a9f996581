import { z } from 'zod';
import { LensmithError } from './errors.ts';
import { hintFor } from './nearest.ts';
import { type RunSpec, runSpecSchema } from './run-spec.ts';

const describe = (value: unknown): string => {
  if (value === undefined) return 'nothing';
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
};

const valueAt = (input: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[key] : undefined,
    input,
  );

const place = (path: readonly PropertyKey[]): string =>
  path.length === 0 ? 'the run spec' : path.map(String).join('.');

/** Whether a value has what tells a branch of a union from the others, such as its `kind`. */
const isBranchOf = (node: z.core.JSONSchema.BaseSchema, value: unknown): boolean =>
  Object.entries(node.properties ?? {}).every(
    ([key, property]) =>
      typeof property !== 'object' || property.const === undefined || property.const === valueAt(value, [key]),
  );

/** The keys that a JSON Schema node allows in a value, over all branches of a union that the value may be one of. */
const keysOf = (node: z.core.JSONSchema.BaseSchema, value: unknown): string[] => [
  ...Object.keys(node.properties ?? {}),
  ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])]
    .filter((branch) => isBranchOf(branch, value))
    .flatMap((branch) => keysOf(branch, value)),
];

const childOf = (node: z.core.JSONSchema.BaseSchema, key: string): z.core.JSONSchema.BaseSchema | undefined => {
  const own = node.properties?.[key];
  if (typeof own === 'object') return own;
  for (const branch of [...(node.anyOf ?? []), ...(node.oneOf ?? [])]) {
    const found = childOf(branch, key);
    if (found) return found;
  }
  return undefined;
};

const allowedKeys = (path: readonly PropertyKey[], input: unknown): string[] => {
  let node: z.core.JSONSchema.BaseSchema | undefined = z.toJSONSchema(runSpecSchema, { io: 'input' });
  for (const key of path) node = node && childOf(node, String(key));
  return node ? [...new Set(keysOf(node, valueAt(input, path)))] : [];
};

const withoutPrefix = (message: string): string =>
  message.replace(/^Invalid input: /, '').replace(/, received .*$/, '');

/** What was expected in place of a value; of a union each of its branches. */
const expected = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_union' && issue.errors.length > 0
    ? issue.errors
        .flatMap((issues) => issues.map((inner) => expected(inner)))
        .join(', or ')
        .replaceAll(', or expected', ', or')
    : withoutPrefix(issue.message);

const explain = (issue: z.core.$ZodIssue, input: unknown): string => {
  if (issue.code === 'unrecognized_keys') {
    const candidates = allowedKeys(issue.path, input);
    return issue.keys
      .map((key) => `${place([...issue.path, key])}: unknown key; ${hintFor(key, candidates)}`)
      .join('\n');
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    // Where the value is of the kind of one branch, that is the one that was meant.
    const meant = issue.errors.find((issues) => issues.every(({ path }) => path.length > 0));
    if (meant)
      return meant.map((inner) => explain({ ...inner, path: [...issue.path, ...inner.path] }, input)).join('\n');
  }
  const came = describe(valueAt(input, issue.path));
  return `${place(issue.path)}: ${expected(issue)}; got ${came}`;
};

/**
 * Checks a run spec and fills in its defaults.
 *
 * @throws LensmithError `config`, one line a problem: the path in the input, what was expected and what came.
 */
export const parseRunSpec = (input: unknown): RunSpec => {
  const parsed = runSpecSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const lines = parsed.error.issues.map((issue) => explain(issue, input));
  const where = parsed.error.issues[0]?.path.map(String).join('.') ?? '';
  throw new LensmithError('config', `the run spec is not valid:\n${lines.join('\n')}`, { where });
};
