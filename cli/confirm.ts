import { createInterface } from 'node:readline/promises';
import { LensmithError } from '../domain/errors.ts';

/**
 * Asks a question on the terminal; everything but a yes is a no, also the end of the input.
 *
 * @throws LensmithError `config` where nobody can be asked and `--yes` is not given.
 */
export const confirm = async (question: string, { yes = false }: { yes?: boolean | undefined }): Promise<boolean> => {
  if (yes) return true;
  if (!process.stdin.isTTY)
    throw new LensmithError('config', 'nobody can be asked here; give --yes to do what the plan says', {
      where: '--yes',
    });
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  try {
    const closed = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
    const answer = await Promise.race([terminal.question(`${question} [y/N] `), closed]);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
};
