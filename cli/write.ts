/** Writes one line for the user. */
export const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
