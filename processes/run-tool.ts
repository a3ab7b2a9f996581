import { execa } from 'execa';

const toolMs = 20_000;
const outputBytes = 4 * 2 ** 20;

/**
 * Output of a program that only looks; both streams, whatever its exit code.
 *
 * @throws Error where it is not installed or does not end within twenty seconds.
 */
export const runTool = async (command: string, args: readonly string[]): Promise<string> => {
  const { all, exitCode, failed, originalMessage, timedOut } = await execa(command, args, {
    all: true,
    reject: false,
    stdin: 'ignore',
    timeout: toolMs,
    forceKillAfterDelay: 1000,
    maxBuffer: outputBytes,
  });
  if (timedOut) throw new Error(`${command} did not end within ${toolMs / 1000} s`);
  if (failed && exitCode === undefined) throw new Error(`${command} did not run: ${originalMessage}`);
  return exitCode === 0 ? all : `${all}\n${command} ended with ${exitCode}`;
};
