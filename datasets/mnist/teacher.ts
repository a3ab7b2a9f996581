import type { DatasetMessage, SftRow } from '../../domain/dataset.ts';
import { LensmithError } from '../../domain/errors.ts';
import type { Protocol } from '../../domain/protocol.ts';
import type { ExecutionResult } from '../../domain/sandbox.ts';
import { image, type MessagePart } from '../../episodes/message-parts.ts';
import { questionParts, toolMessageParts } from '../../episodes/render-messages.ts';
import type { Sandbox } from '../../sandbox/open-sandbox.ts';
import type { Draw } from './draw.ts';
import { toPng } from './raster.ts';
import type { DigitTask } from './tasks.ts';

/** A program of the teacher: one that fails on purpose is context, not a target. */
interface TeacherProgram {
  readonly code: string;
  readonly fails: boolean;
}

const goodCode = (task: DigitTask, variable: string): string => {
  switch (task.family) {
    case 'sum':
      return `print(${task.digits.join('+')})`;
    case 'count':
      return `print([${task.digits.join(', ')}].count(${task.counted}))`;
    case 'orient':
      return task.turn === 0 ? variable : `${variable}.rotate(${360 - task.turn})`;
  }
};

/** A misspelt name, a missing bracket or a method that does not exist. */
const brokenCode = (task: DigitTask, variable: string, draw: Draw): string => {
  const good = goodCode(task, variable);
  if (task.family === 'orient')
    return draw.pick([
      good.replace(variable, variable.slice(0, -1)),
      task.turn === 0 ? `${variable}.shown()` : good.replace('rotate', 'turn'),
      `${good}(`,
    ]);
  return draw.pick([good.slice(0, -1), good.replace('print', 'prnt'), good.replace('print(', 'print(total ')]);
};

const programsOf = (task: DigitTask, protocol: Protocol, draw: Draw, shares: TeacherShares): TeacherProgram[] => {
  const upright = task.family === 'orient' && task.turn === 0;
  if (upright && !draw.chance(shares.checkShare)) return [];
  const { image: variable } = protocol.variables;
  const good = { code: goodCode(task, variable), fails: false };
  return draw.chance(shares.recoveryShare) ? [{ code: brokenCode(task, variable, draw), fails: true }, good] : [good];
};

/** The text of a message in the published schema, where `<image>` marks an image. */
const datasetText = (parts: readonly MessagePart[]): string =>
  parts.map((part) => (part === image ? '<image>' : part)).join('');

const mustEnd = (task: DigitTask, program: TeacherProgram, result: ExecutionResult): void => {
  const failed = result.outcome === 'exception';
  const ran = result.outcome === 'ok';
  if (program.fails ? failed : ran) return;
  throw new LensmithError(
    result.outcome === 'infrastructure' ? 'infrastructure' : 'data',
    `expected the teacher's program to ${program.fails ? 'fail' : 'run'}, it ended as ${result.outcome} ` +
      `(${result.error?.message ?? 'no error'}): ${program.code}`,
    { where: `a trajectory of the family ${task.family}` },
  );
};

export interface TeacherShares {
  readonly checkShare: number;
  readonly recoveryShare: number;
}

/**
 * A trajectory of the scripted teacher, with tool replies from code that really ran: it answers upright pictures at
 * once or checks some of them with code though it need not, turns the turned ones back, adds and counts by code, and
 * in a share of them repairs a first program that failed.
 */
export const teacherTrajectory = async (
  task: DigitTask,
  protocol: Protocol,
  sandbox: Sandbox,
  draw: Draw,
  shares: TeacherShares,
): Promise<SftRow> => {
  const png = toPng(task.image);
  const images: Uint8Array[] = [png];
  const messages: DatasetMessage[] = [
    ...(protocol.system ? [{ role: 'system' as const, content: protocol.system }] : []),
    { role: 'user', content: datasetText(questionParts(protocol, task.question, 1)) },
  ];
  const programs = programsOf(task, protocol, draw, shares);
  if (programs.length > 0) {
    const { limits, variables, state } = protocol;
    const session = await sandbox.createSession({
      images: [{ data: Buffer.from(png).toString('base64') }],
      variables,
      state,
      limits: {
        callSeconds: limits.callSeconds,
        memoryMib: limits.memoryMib,
        outputCharacters: limits.outputCharacters,
        imagesPerCall: limits.imagesPerCall,
        minimumSide: limits.minimumSide,
        maximumSide: limits.maximumSide,
      },
    });
    try {
      for (const program of programs) {
        const result = await session.execute({ code: program.code });
        mustEnd(task, program, result);
        messages.push(
          {
            role: 'assistant',
            content: `<code>\n\`\`\`python\n${program.code}\n\`\`\`\n</code>`,
            ...(program.fails ? { loss: false } : {}),
          },
          { role: protocol.toolMessage.role, content: datasetText(toolMessageParts(protocol, result, false)) },
        );
        images.push(...result.images.map(({ data }) => Buffer.from(data, 'base64')));
      }
    } finally {
      await session.close();
    }
  }
  messages.push({ role: 'assistant', content: `<answer>${task.answer}</answer>` });
  return { messages, images };
};
