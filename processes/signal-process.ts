import { type ProcessInfo, readProcess } from './proc-stat.ts';

type Named = Pick<ProcessInfo, 'pid' | 'startTicks'>;

/** Whether that very process lives: a pid is given again. */
export const lives = ({ pid, startTicks }: Named): boolean => readProcess(pid)?.startTicks === startTicks;

/** Signals that very process; one that has ended needs none. */
export const signalProcess = (info: Named, name: 'SIGTERM' | 'SIGKILL'): void => {
  if (!lives(info)) return;
  try {
    process.kill(info.pid, name);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};
