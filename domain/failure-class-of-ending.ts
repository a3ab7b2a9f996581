import type { FailureType } from './errors.ts';
import { failureSignatures } from './failure-class-signatures.ts';

/** How a program ended, with all that it left behind. */
export interface Ending {
  /** What the program said of itself in `outcome.json`. */
  readonly reported?: { readonly type: FailureType; readonly message: string } | undefined;
  readonly exitCode: number | null;
  /** Name of the signal that ended it. */
  readonly signal: string | null;
  /** Status of its job where it was one of Ray; null says that Ray does not know the job. */
  readonly ray?: { readonly status: string | null; readonly message: string } | undefined;
  /** The last lines of its log, oldest first. */
  readonly log: readonly string[];
  /** Whether the kernel killed a process for memory while it ran. */
  readonly kernelKilled: boolean;
}

export interface FailureClass {
  readonly type: FailureType;
  /** The line, the code or the status that decided. */
  readonly evidence: string;
}

const evidenceLength = 300;

/** Lines at the end of a log that tell of the end itself; further up are troubles that a program got over. */
const lastWords = 30;

/** Classes that a program can only be in by itself: one that was killed is not judged by an older complaint. */
const ownFault: readonly FailureType[] = ['auth', 'data', 'config', 'user_code'];

/** A program says these where it knows no better. */
const vague: readonly FailureType[] = ['infrastructure', 'out_of_memory'];

/** Prefixes of rank, process and time that stand before what a library says. */
const withoutPrefix = (line: string): string =>
  line
    .replace(/^(?:\[rank\d+\]:?\s*|\([^()]* pid=\d+[^()]*\)\s*|(?:ERROR|CRITICAL) \d\S* \d\S* (?:\[[^\]]*\] )?)+/, '')
    .trim();

const search = (lines: readonly string[], allowed: (type: FailureType) => boolean): FailureClass | undefined => {
  const clean = lines.map(withoutPrefix);
  for (const { type, pattern } of failureSignatures) {
    if (!allowed(type)) continue;
    const line = clean.findLast((candidate) => pattern.test(candidate));
    if (line !== undefined) return { type, evidence: line.slice(0, evidenceLength) };
  }
  return undefined;
};

const byReport = (type: FailureType, message: string): FailureClass | undefined => {
  const [firstLine = ''] = message.split('\n');
  const evidence = firstLine.slice(0, evidenceLength);
  // Nobody of Lensmith asked for this end: the one who asks does not look at the outcome.
  if (type === 'cancelled') return { type: 'preemption', evidence };
  if (!vague.includes(type)) return { type, evidence };
  if (type === 'out_of_memory')
    return search(message.split('\n'), (found) => found === 'host_memory') ?? { type, evidence };
  return search(message.split('\n'), () => true);
};

const byStatus = ({ exitCode, signal, ray, kernelKilled, reported }: Ending): FailureClass => {
  if (kernelKilled && (signal === 'SIGKILL' || exitCode === 137 || exitCode === -9))
    return { type: 'host_memory', evidence: 'SIGKILL, and the kernel killed a process for memory meanwhile' };
  if (signal === 'SIGTERM' || signal === 'SIGINT' || signal === 'SIGHUP' || exitCode === -15)
    return { type: 'preemption', evidence: `${signal ?? 'SIGTERM'} from outside` };
  if (ray?.status === null) return { type: 'ray_head', evidence: 'Ray does not know the job any more' };
  if (ray?.status === 'STOPPED') return { type: 'preemption', evidence: 'somebody stopped the job of Ray' };
  if (exitCode === 126 || exitCode === 127)
    return { type: 'config', evidence: `exit code ${exitCode}: the command cannot be run` };
  if (reported) return { type: reported.type, evidence: reported.message.slice(0, evidenceLength) };
  const evidence = signal ?? (exitCode === null ? 'no exit code' : `exit code ${exitCode}`);
  return { type: 'infrastructure', evidence };
};

/**
 * The class of a failed program: by what it reported, else by the words of its log and of Ray, else by its exit code,
 * its signal or the status of its job.
 */
export const classifyEnding = (ending: Ending): FailureClass => {
  const { reported, signal, ray, log } = ending;
  const told = reported && byReport(reported.type, reported.message);
  if (told) return told;
  const byItself = !reported && signal === null && ray?.status !== null && ray?.status !== 'STOPPED';
  const words = [...log, ...(ray?.message.split('\n') ?? [])];
  return (
    search(words, (type) => !ownFault.includes(type)) ??
    (byItself ? search(words.slice(-lastWords), (type) => ownFault.includes(type)) : undefined) ??
    byStatus(ending)
  );
};
