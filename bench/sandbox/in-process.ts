import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { quantile } from './figures.ts';
import { furtherCode } from './subject.ts';

/** Runs each line, a piece of code as JSON, in one namespace; prints what it printed and how long that took, ms. */
const loop = `import contextlib, io, json, sys, time
import cv2, matplotlib.pyplot, numpy, pandas, PIL.Image, scipy.ndimage, skimage.measure, skimage.transform, sympy
namespace = {}
print(flush=True)
for line in sys.stdin:
    code = json.loads(line)
    output = io.StringIO()
    started = time.perf_counter()
    with contextlib.redirect_stdout(output):
        exec(compile(code, "<code>", "exec"), namespace)
    seconds = time.perf_counter() - started
    print(json.dumps([output.getvalue(), seconds * 1000]), flush=True)
`;

/**
 * The code's own time: of the further call's code in a plain Python process that rests for `pauseMs` between two, p50
 * over `count`, milliseconds.
 */
export const measureOwnTime = async (python: string, count: number, pauseMs: number): Promise<number> => {
  const child = spawn(python, ['-c', loop], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const nextLine = async (): Promise<string> => {
    const [line] = (await once(lines, 'line', { signal: AbortSignal.timeout(60_000) })) as [string];
    return line;
  };
  try {
    await nextLine();
    const taken: number[] = [];
    for (let index = 0; index < count; index += 1) {
      await delay(pauseMs);
      const answer = nextLine();
      child.stdin.write(`${JSON.stringify(furtherCode)}\n`);
      const [printed, milliseconds] = JSON.parse(await answer) as [string, number];
      if (printed.trim() !== '1') throw new Error(`expected the code to print 1, got "${printed}"`);
      taken.push(milliseconds);
    }
    return quantile(taken, 0.5);
  } finally {
    child.stdin.end();
    await once(child, 'exit');
  }
};
