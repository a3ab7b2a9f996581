/** A session of a subject that has given its first result. */
export interface OpenSession {
  /** What opening it took, to its first result, milliseconds. */
  readonly openMs: number;
  /** Runs a short piece of code; milliseconds that the caller waited. */
  readonly call?: () => Promise<number>;
  readonly close: () => Promise<void>;
}

/** One way to run model code. */
export interface Subject {
  readonly name: string;
  /** It is so slow that it is measured in every tenth round only. */
  readonly slow: boolean;
  readonly open: () => Promise<OpenSession>;
  readonly close: () => Promise<void>;
  /** The process below which its sessions run, for their memory; undefined where they are of no duration. */
  readonly root?: number;
}

/** What the first code of a session uses. */
export const imports = [
  'import cv2, matplotlib.pyplot, numpy, pandas, PIL.Image, scipy.ndimage, skimage.measure, skimage.transform, sympy',
].join('\n');

/** The first code of a session, with the libraries that pictures are worked on with. */
export const firstCode = `${imports}\nprint(1)`;

export const furtherCode = 'x = 1\nprint(x)';

/** Milliseconds that an action takes. */
export const timed = async (action: () => Promise<unknown>): Promise<number> => {
  const start = performance.now();
  await action();
  return performance.now() - start;
};

/** Fails where a subject did not print what the code prints: a figure of a failure is none. */
export const expectPrinted = (subject: string, stdout: string): void => {
  if (stdout.trim() !== '1') throw new Error(`${subject}: expected the code to print 1, got "${stdout}"`);
};
