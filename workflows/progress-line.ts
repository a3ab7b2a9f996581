import type { Progress } from '../domain/progress.ts';

const figure = (value: number): string => value.toFixed(Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : 2);

/** `rl · step 12/20 · reward 0.63` */
export const progressLine = (name: string, progress: Progress | null): string => {
  if (!progress || progress.total === 0) return name;
  const figures = Object.entries(progress.figures).map(([key, value]) => `${key} ${figure(value)}`);
  return [name, `step ${progress.step}/${progress.total}`, ...figures].join(' · ');
};
