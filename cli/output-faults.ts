/**
 * What becomes of a command whose output cannot be written: without a reader, as after `| head -1`, it ends with no word
 * more. Messages to nobody do not keep it from its work.
 */
export const listenForOutputFaults = (): void => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit();
    process.stderr.write(`lensmith: infrastructure: the standard output cannot be written: ${error.message}\n`);
    process.exit(1);
  });
  process.stderr.on('error', () => undefined);
};
