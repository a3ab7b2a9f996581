import { type Command, Option } from 'commander';
import { z } from 'zod';
import { hostFromEnvironment } from '../../activities/host.ts';
import { judgeAuditFolder } from '../../activities/judge-audit-folder.ts';
import { LensmithError } from '../../domain/errors.ts';
import { keepAudit } from '../../scoring/judge/audit-file.ts';
import { auditJudge } from '../../scoring/judge/audit-judge.ts';
import { readAuditSet } from '../../scoring/judge/audit-pairs.ts';
import { openJudge } from '../../scoring/judge/judge-client.ts';
import { auditTable } from '../judge-table.ts';
import { judgeVariable, serverKey, serverUrls } from './server-flags.ts';

const flagsSchema = z.strictObject({
  endpoint: serverUrls(1, `expected the base URL of a server, or the variable ${judgeVariable}`),
  model: z.string().min(1),
  id: z.string().min(1).optional(),
  apiKey: serverKey.optional(),
  set: z.string().optional(),
  inFlight: z.coerce.number().int().positive(),
  timeoutSeconds: z.coerce.number().positive(),
  stopWhenLost: z.boolean().default(false),
  json: z.boolean().default(false),
});

const readFlags = (found: unknown): z.infer<typeof flagsSchema> => {
  const parsed = flagsSchema.safeParse(found);
  if (parsed.success) return parsed.data;
  throw new LensmithError('config', z.prettifyError(parsed.error), { where: 'lensmith judge audit' });
};

const audit = async (found: Record<string, unknown>): Promise<void> => {
  const { endpoint, model, id, apiKey, set, inFlight, timeoutSeconds, stopWhenLost, json } = readFlags(found);
  const { home } = await hostFromEnvironment();
  // Without a cache: what the server says now is what is audited.
  const client = openJudge({
    url: endpoint,
    model,
    ...(id === undefined ? {} : { id }),
    ...(apiKey === undefined ? {} : { apiKey }),
    maxInFlight: inFlight,
    timeoutMs: 1000 * timeoutSeconds,
  });
  const isShown = process.stderr.isTTY && !json;
  const result = await auditJudge(client, {
    ...(set === undefined ? {} : { set: await readAuditSet(set) }),
    inFlight,
    stopWhenLost,
    onProgress: (asked, pairs) => {
      if (isShown) process.stderr.write(`\r${asked} of ${pairs} pairs`);
    },
  });
  if (isShown) process.stderr.write('\n');
  const file = await keepAudit(judgeAuditFolder({ home }), result);
  process.stdout.write(json ? `${JSON.stringify(result, null, 2)}\n` : `${auditTable(result)}\n${file}\n`);
  if (!result.passed) process.exitCode = 1;
};

/** Adds the commands about judges. */
export const addJudgeCommands = (program: Command): void => {
  program
    .command('judge')
    .description('what a judge has to show before it may decide')
    .command('audit')
    .description('ask a judge about labelled answers; exit code 1 where it does not pass')
    .addOption(
      new Option('--endpoint <urls>', 'base URLs of servers of the judge, with commas between them').env(judgeVariable),
    )
    .option('--model <id>', 'name under which they serve it', 'judge')
    .option('--id <id>', 'name under which the audit is kept (default: the model)')
    .option('--api-key <key>', "the servers' API key")
    .option('--set <file>', 'labelled answers of your own, one JSON object a line')
    .option('--in-flight <count>', 'pairs that are asked at once', '16')
    .option('--timeout-seconds <seconds>', 'time of one request, headers and body', '60')
    .option('--stop-when-lost', 'stop as soon as it cannot be passed any more')
    .option('--json', 'the whole audit as JSON')
    .action(audit);
};
