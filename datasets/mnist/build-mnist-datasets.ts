import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import type { ArtifactRef } from '../../domain/artifact.ts';
import type { RlRow, SftRow } from '../../domain/dataset.ts';
import type { Protocol } from '../../domain/protocol.ts';
import type { RunSpec } from '../../domain/run-spec.ts';
import { publishArtifact } from '../../processes/artifact.ts';
import type { Sandbox } from '../../sandbox/open-sandbox.ts';
import { rlSchema, sftSchema } from '../arrow-schemas.ts';
import { writeRows } from '../write-parquet.ts';
import { captionRows } from './captions.ts';
import { digitRanges, readDigitPools } from './digit-pools.ts';
import { openDraw } from './draw.ts';
import { toPng } from './raster.ts';
import { type DigitTask, evenTasks, mixedTasks } from './tasks.ts';
import { teacherTrajectory } from './teacher.ts';

type MnistSpec = Extract<RunSpec['data'], { kind: 'mnist' }>;

export interface MnistBuild {
  readonly spec: MnistSpec;
  readonly seed: number;
  /** Folder of the IDX files. */
  readonly directory: string;
  readonly outputDir: string;
  /** Runs the programs of the teacher. */
  readonly sandbox: Sandbox;
  readonly protocol: Protocol;
  readonly signal?: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

const rlRow = (task: DigitTask, split: string, index: number): RlRow => ({
  data_source: `mnist_${task.family}`,
  prompt: [{ role: 'user', content: `<image>${task.question}` }],
  images: [{ bytes: toPng(task.image), path: null }],
  ability: task.family,
  reward_model: { style: 'rule', ground_truth: task.answer },
  extra_info: {
    split,
    index,
    question: task.question,
    answer: task.answer,
    answer_kind: 'number',
    family: task.family,
    transform: task.transform,
  },
});

const sftColumns = ({ messages, images }: SftRow): Record<string, unknown> => ({
  messages: messages.map(({ role, content, loss }) => ({ role, content, loss: loss ?? null })),
  images,
});

/** Encoding tens of thousands of images takes seconds, in which the worker has to go on with its heartbeats. */
const collect = async (captions: Iterable<SftRow>): Promise<Record<string, unknown>[]> => {
  const rows: Record<string, unknown>[] = [];
  for (const caption of captions) {
    rows.push(sftColumns(caption));
    if (rows.length % 256 === 0) await setImmediate();
  }
  return rows;
};

/**
 * Makes the miniature's data from MNIST: captions for the base model, trajectories for SFT, prompts for RL, validation
 * and held-out test samples, each from digits of its own. The same seed gives the same bytes.
 *
 * The folder appears under its name only when all of it is on disk.
 * @throws LensmithError `data` where MNIST cannot be read, `infrastructure` where the sandbox is away.
 */
export const buildMnistDatasets = async (build: MnistBuild): Promise<ArtifactRef> => {
  const { spec, seed, outputDir, protocol, sandbox } = build;
  const pools = await readDigitPools(build.directory);
  const temporary = `${outputDir}.building`;
  await rm(temporary, { recursive: true, force: true });
  await mkdir(temporary, { recursive: true });
  const total = 5;
  let done = 0;
  const rows: Record<string, number> = {};
  const write = async (
    name: string,
    kind: 'sft' | 'rl',
    content: readonly Record<string, unknown>[],
  ): Promise<void> => {
    build.signal?.throwIfAborted();
    rows[name] = await writeRows(join(temporary, `${name}.parquet`), kind === 'sft' ? sftSchema : rlSchema, content);
    done += 1;
    build.onProgress?.(done, total);
  };

  const draw = (name: string) => openDraw(seed, name);
  const teacher = draw('teacher');
  const trajectories: SftRow[] = [];
  for (const task of mixedTasks(pools.sft, draw('sft'), spec.trajectories)) {
    build.signal?.throwIfAborted();
    trajectories.push(await teacherTrajectory(task, protocol, sandbox, teacher, spec));
  }
  await write('sft', 'sft', trajectories.map(sftColumns));
  await write('captions', 'sft', await collect(captionRows(pools.captions, draw('captions'), spec.captions)));
  const tasks = {
    rl: mixedTasks(pools.rl, draw('rl'), spec.rlPrompts),
    validation: mixedTasks(pools.validation, draw('validation'), spec.validationSamples),
    test: evenTasks(pools.test, draw('test'), spec.testSamples),
  };
  for (const [split, list] of Object.entries(tasks))
    await write(
      split,
      'rl',
      list.map((task, index) => ({ ...rlRow(task, split, index) })),
    );

  const names = Object.keys(rows);
  const artifact = await publishArtifact(temporary, 'dataset', {
    seed,
    rows,
    schema: Object.fromEntries(names.map((name) => [name, name === 'sft' || name === 'captions' ? 'sft' : 'rl'])),
    files: Object.fromEntries(names.map((name) => [name, `${name}.parquet`])),
    source: 'MNIST',
    digits: digitRanges,
    protocol: { name: protocol.name, version: protocol.version },
  });
  await rm(outputDir, { recursive: true, force: true });
  await rename(temporary, outputDir);
  return { ...artifact, path: outputDir };
};
