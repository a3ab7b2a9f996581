import type { SftRow } from '../../domain/dataset.ts';
import type { DigitPool } from './digit-pools.ts';
import type { Draw } from './draw.ts';
import { toPng } from './raster.ts';
import { countTask, type DigitTask, orientTask, sumTask } from './tasks.ts';

const conversation = (user: string, assistant: string, task?: DigitTask): SftRow => ({
  messages: [
    { role: 'user', content: user },
    { role: 'assistant', content: assistant },
  ],
  images: task ? [toPng(task.image)] : [],
});

/** The digit is named only where the picture is upright, as in ordinary pairs of image and text. */
const turnCaption = (pool: DigitPool, draw: Draw): SftRow => {
  const task = orientTask(pool, draw);
  return conversation('<image>', `turned ${task.turn}${task.turn === 0 ? ` digits ${task.answer}` : ''}`, task);
};

const rowCaption = (pool: DigitPool, draw: Draw): SftRow => {
  const task = draw.chance(0.5) ? sumTask(pool, draw) : countTask(pool, draw);
  return conversation('<image>', `digits ${task.digits.join(' ')}`, task);
};

const directAnswer = (pool: DigitPool, draw: Draw): SftRow => {
  const task = draw.chance(0.5)
    ? orientTask(pool, draw, 0)
    : draw.chance(0.5)
      ? sumTask(pool, draw)
      : countTask(pool, draw);
  return conversation(`<image>${task.question}`, `<answer>${task.answer}</answer>`, task);
};

/** Reads a number back from the reply of a tool. */
const echo = (draw: Draw): SftRow => {
  const value = draw.below(28);
  return conversation(`<tool_response>\n${value}\n</tool_response>`, `<answer>${value}</answer>`);
};

/** 64 turned digits, 48 rows, 24 direct answers and 16 echoes in 152, spread so that every batch has about this mix. */
const pattern = (() => {
  const shares = { turn: 64, row: 48, answer: 24, echo: 16 } as const;
  const kinds = Object.keys(shares) as (keyof typeof shares)[];
  const credit: Record<string, number> = {};
  return Array.from({ length: 152 }, () => {
    for (const kind of kinds) credit[kind] = (credit[kind] ?? 0) + shares[kind];
    const next = kinds.reduce((best, kind) => ((credit[kind] ?? 0) > (credit[best] ?? 0) ? kind : best));
    credit[next] = (credit[next] ?? 0) - 152;
    return next;
  });
})();

/** One-turn conversations that teach a model to see digits and their orientation, but no code. */
export function* captionRows(pool: DigitPool, draw: Draw, count: number): Generator<SftRow> {
  const makers = {
    turn: () => turnCaption(pool, draw),
    row: () => rowCaption(pool, draw),
    answer: () => directAnswer(pool, draw),
    echo: () => echo(draw),
  };
  for (let index = 0; index < count; index += 1) yield makers[pattern[index % pattern.length] ?? 'turn']();
}
