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

/** The keys that a JSON Schema node allows below itself, over all branches of a union. */
const keysOf = (node: z.core.JSONSchema.BaseSchema): string[] => [
  ...Object.keys(node.properties ?? {}),
  ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap((branch) => keysOf(branch)),
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

const allowedKeys = (path: readonly PropertyKey[]): string[] => {
  let node: z.core.JSONSchema.BaseSchema | undefined = z.toJSONSchema(runSpecSchema, { io: 'input' });
  for (const key of path) node = node && childOf(node, String(key));
  return node ? [...new Set(keysOf(node))] : [];
};

const explain = (issue: z.core.$ZodIssue, input: unknown): string => {
  if (issue.code === 'unrecognized_keys') {
    const candidates = allowedKeys(issue.path);
    return issue.keys
      .map((key) => `${place([...issue.path, key])}: unknown key; ${hintFor(key, candidates)}`)
      .join('\n');
  }
  const came = describe(valueAt(input, issue.path));
  return `${place(issue.path)}: ${issue.message.replace(/^Invalid input: /, '').replace(/, received .*$/, '')}; got ${came}`;
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
