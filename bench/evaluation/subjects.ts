import { execFile } from 'node:child_process';
import { access, mkdir, stat } from 'node:fs/promises';
import { delimiter, join, resolve } from 'node:path';
import { promisify } from 'node:util';

const root = resolve(import.meta.dirname, '../..');

/** One run of a client: what it asks, with how many at a time, and where it may write. */
export interface Work {
  readonly url: string;
  readonly data: string;
  readonly workers: number;
  readonly turns: number;
  readonly out: string;
}

/** A client that is measured: its command and its environment. */
export interface Subject {
  readonly name: string;
  readonly command: (work: Work) => readonly string[];
  readonly env: (work: Work) => Record<string, string>;
  /** MiB that each worker takes, so that no run is begun that the machine cannot hold. */
  readonly workerMib: number;
  /** How many at a time are likely to suit it best, where a search for that begins. */
  readonly likelyWorkers: number;
}

export const lensmith: Subject = {
  name: 'lensmith',
  workerMib: 1,
  likelyWorkers: 32,
  command: ({ url, data, workers, out }) => [
    ...[join(root, 'cli/lensmith'), 'eval'],
    ...['--api-url', url, '--data-path', data, '--save-path', out, '--num-workers', String(workers)],
    ...[
      '--eval-model-name',
      'bench',
      '--judge-url',
      `${url}/v1`,
      '--judge-model',
      'judge-json',
      '--judge-audit',
      'off',
      '--keep-images',
      '0',
    ],
  ],
  env: ({ out }) => ({
    LENSMITH_HOME: join(out, 'home'),
    LENSMITH_BENCH_LOOP_DELAY: join(out, 'loop-delay'),
    NODE_OPTIONS: `--import ${join(import.meta.dirname, 'loop-delay.ts')}`,
  }),
};

export const bareLoop: Subject = {
  name: 'bare loop',
  workerMib: 1,
  likelyWorkers: 64,
  command: ({ url, data, workers, turns }) => [
    ...[process.execPath, join(import.meta.dirname, 'bare-loop.ts'), '--url', url, '--data', data],
    ...['--workers', String(workers), '--turns', String(turns)],
  ],
  env: () => ({}),
};

const peerPackages = [
  ...['inspect_ai==0.3.285', 'openai', 'pandas', 'pyarrow', 'pillow', 'numpy', 'matplotlib', 'tqdm', 'requests'],
  'math-verify',
];

/** Installs the peers' packages into a virtual environment of the bench, once. */
const peerPython = async (cache: string): Promise<string> => {
  const venv = join(cache, 'peers');
  const python = join(venv, 'bin/python');
  const run = promisify(execFile);
  if (!(await stat(python).catch(() => undefined))) {
    await mkdir(cache, { recursive: true });
    await run('python3', ['-m', 'venv', venv]);
    await run(python, ['-m', 'pip', 'install', '-q', ...peerPackages], { timeout: 1_200_000 });
  }
  return python;
};

const peerEnvironment = (python: string) => ({ PATH: `${join(python, '..')}${delimiter}${process.env.PATH ?? ''}` });

export const inspectAi = async (cache: string): Promise<Subject> => {
  const python = await peerPython(cache);
  return {
    name: 'inspect_ai',
    workerMib: 20,
    likelyWorkers: 32,
    command: ({ url, data, workers, out }) => [
      ...[python, join(import.meta.dirname, 'peers/inspect_run.py'), '--url', `${url}/v1`, '--data', data],
      ...['--workers', String(workers), '--out', out],
    ],
    env: () => ({ ...peerEnvironment(python), BENCH_API_KEY: 'none', BENCH_BASE_URL: 'none' }),
  };
};

/**
 * @param checkout - A checkout of CodeDance-VL/CodeDance, with `eval` and `verl` at the least.
 * @throws Error where it lacks what is run.
 */
export const evalPy = async (cache: string, checkout: string): Promise<Subject> => {
  for (const part of ['eval/eval.py', 'verl/utils/reward_score']) await access(join(resolve(checkout), part));
  const python = await peerPython(cache);
  return {
    name: 'eval.py',
    workerMib: 260,
    likelyWorkers: 8,
    command: ({ url, data, workers, out }) => [
      ...[python, join(resolve(checkout), 'eval/eval.py'), '--api_url', `${url}/v1`],
      ...['--data_path', data, '--save_path', out, '--eval_model_name', 'bench', '--num_workers', String(workers)],
    ],
    env: ({ url }) => ({
      ...peerEnvironment(python),
      PYTHONPATH: join(import.meta.dirname, 'peers/shadow'),
      CODEDANCE_CHECKOUT: resolve(checkout),
      LLM_AS_A_JUDGE_BASE: `${url}/v1`,
    }),
  };
};
