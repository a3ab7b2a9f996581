import { type Command, Option } from 'commander';
import { z } from 'zod';
import { answerKinds } from '../../domain/answer-kind.ts';
import { LensmithError } from '../../domain/errors.ts';
import { judgeAuditPolicies } from '../../domain/judge.ts';
import { judgeVariable, serverKey, serverUrls } from './server-flags.ts';

// An unset variable of a script leaves an empty value, which would else count as 0.
const number = z.string().regex(/\S/, 'expected a number, got an empty value').pipe(z.coerce.number());
const whole = (minimum: number) => number.pipe(z.int().min(minimum));

const flagsSchema = z.strictObject({
  apiUrl: serverUrls(1),
  apiKey: serverKey.regex(/^[^,]*$/, 'expected one key, which all servers take'),
  dataPath: z.string('expected the path of Parquet files').min(1),
  savePath: z.string().min(1),
  modelName: z.string().min(1).optional(),
  evalModelName: z.string().min(1).optional(),
  numWorkers: whole(1),
  dataSource: z.string(),
  answerKind: z.enum(answerKinds).optional(),
  protocol: z.string(),
  prompt: z.enum(['protocol', 'dataset']),
  temperature: number.pipe(z.number().min(0)),
  topP: number.pipe(z.number().gt(0).max(1)),
  maxTokens: whole(1),
  seed: whole(0).optional(),
  attempts: whole(1),
  limit: whole(1).optional(),
  sample: z
    .array(z.string())
    .transform((ids) => [...new Set(ids)])
    .optional(),
  retryFailed: z.boolean().default(false),
  rejudge: z.boolean().default(false),
  judgeUrl: serverUrls(0).optional(),
  judgeModel: z.string().optional(),
  judgeKey: serverKey.optional(),
  judgeAudit: z.enum(judgeAuditPolicies),
  episodeSeconds: number.pipe(z.number().positive()),
  requestSeconds: number.pipe(z.number().positive()),
  maxUndecided: number.pipe(z.number().min(0).max(1)),
  keepImages: whole(0),
  embedImages: z.boolean().default(false),
  isolation: z.enum(['namespaces', 'none']),
});
const asksOrGrades = flagsSchema.refine(({ rejudge, sample }) => !rejudge || sample === undefined, {
  path: ['rejudge'],
  error: 'expected without --sample, which leaves the results as they are: it grades every episode anew',
});
export type EvalFlags = z.infer<typeof flagsSchema>;

/** The flags of CodeDance's `eval/eval.py`, then ours. A description and a default; none where the default is worked out. */
const flags: readonly (readonly [string, string, string?])[] = [
  ['--model-name <name>', "name in the results (default: the served model's)"],
  ['--api-url <urls>', 'base URLs of servers of the model, with commas between them', 'http://127.0.0.1:18901/v1'],
  ['--api-key <key>', "the servers' API key", 'EMPTY'],
  ['--data-path <path>', 'Parquet files: a file, a folder, a glob, or several with commas between them'],
  ['--save-path <folder>', 'folder that gets <model>/ with all results', './save/'],
  ['--eval-model-name <id>', 'name under which the servers serve the model (default: the first that they list)'],
  ['--num-workers <count>', 'episodes in flight', '32'],
  ['--data-source <name>', 'data_source of rows without one', 'default'],
  [
    '--answer-kind <kind>',
    `kind of every answer, whatever the rows say: ${answerKinds.join(', ')} (default: as the row, its style or its data source says)`,
  ],
  ['--protocol <name>', 'protocol of ours by name, or the path of a protocol file', 'codedance'],
  ['--prompt <whose>', "the protocol's question, or the data set's own messages: protocol or dataset", 'protocol'],
  ['--temperature <number>', 'of the model', '0.01'],
  ['--top-p <number>', 'of the model', '1'],
  ['--max-tokens <count>', 'tokens of one turn', '2048'],
  ['--seed <number>', 'of the model; raised by one for each attempt (default: none)'],
  ['--attempts <count>', 'episodes of each sample', '1'],
  ['--limit <count>', 'ask only the first samples'],
  ['--judge-url <urls>', 'base URLs of servers of the judge (without one, rules alone decide)'],
  ['--judge-model <id>', 'name under which the judge is served (default: the first that its server lists)'],
  ['--judge-key <key>', "the judge's API key"],
  [
    '--judge-audit <policy>',
    'required; force lets a judge decide that did not pass it, off does not audit',
    'required',
  ],
  ['--episode-seconds <seconds>', 'time of one episode', '900'],
  ['--request-seconds <seconds>', 'time of one request to the model, headers and body', '300'],
  ['--max-undecided <share>', 'share of samples without a verdict above which no accuracy is given', '0.05'],
  ['--keep-images <count>', 'samples from the first on whose images are kept', '64'],
  ['--isolation <level>', 'namespaces, or none where the host cannot isolate', 'namespaces'],
];

/** Environment variables that stand for flags. */
const variables: ReadonlyMap<string, string> = new Map([['--judge-url', judgeVariable]]);

const switches: readonly (readonly [string, string])[] = [
  ['--retry-failed', 'ask again what ended as model_error, sandbox_error or data_error'],
  ['--rejudge', 'grade every episode anew, without asking the model'],
  ['--embed-images', 'put the images into the result lines, in base64, and keep them all'],
];

const underscored = (name: string): string => {
  const [flag = '', ...value] = name.split(' ');
  return [`--${flag.slice(2).replaceAll('-', '_')}`, ...value].join(' ');
};

/** Adds the flags of `lensmith eval`; each also with underscores, as `eval.py` writes them. */
export const addEvalFlags = (command: Command): Command => {
  for (const [name, description, otherwise] of flags) {
    const option = new Option(name, description);
    const variable = variables.get(option.long ?? '');
    if (variable !== undefined) option.env(variable);
    command.addOption(otherwise === undefined ? option : option.default(otherwise));
    const other = underscored(name);
    if (other !== name) command.addOption(new Option(other).hideHelp());
  }
  for (const [name, description] of switches) {
    command.addOption(new Option(name, description));
    if (underscored(name) !== name) command.addOption(new Option(underscored(name)).hideHelp());
  }
  return command.option('--sample <id...>', 'ask only these samples, and print what became of them');
};

const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

const kebab = (name: string): string => `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

/**
 * Reads the flags that commander has found.
 *
 * @throws LensmithError `config` naming each flag that does not fit.
 */
export const readEvalFlags = (found: Readonly<Record<string, unknown>>): EvalFlags => {
  const hyphens = Object.entries(found).filter(([name]) => !name.includes('_'));
  const underscores = Object.entries(found).filter(([name]) => name.includes('_'));
  const parsed = asksOrGrades.safeParse({
    ...Object.fromEntries(hyphens),
    ...Object.fromEntries(underscores.map(([name, value]) => [camel(name), value])),
  });
  if (parsed.success) return parsed.data;
  const faults = parsed.error.issues.map(({ path: [name], message }) => {
    const flag = kebab(String(name));
    const variable = variables.get(flag);
    const given = found[underscored(flag).slice(2)] ?? found[String(name)];
    return `${variable !== undefined && given === process.env[variable] ? variable : flag}: ${message}`;
  });
  throw new LensmithError('config', faults.join('\n'), { where: 'lensmith eval', cause: parsed.error });
};
