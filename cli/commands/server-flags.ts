import { z } from 'zod';

// `host:8000` is a URL too, of the protocol `host`.
const url = z.url({ protocol: /^https?$/, error: 'expected URLs that begin with http:// or https://' });

/**
 * Base URLs of servers, with commas between them.
 *
 * @param least - How many at least.
 * @param missing - What is said where the flag is not given at all.
 */
export const serverUrls = (least: number, missing?: string) =>
  z
    .string(missing)
    .transform((text) =>
      text
        .split(',')
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(url).min(least));

/** A servers' API key. What comes of a file may end in a line break, and no header can have one inside. */
export const serverKey = z
  .string()
  .trim()
  .regex(/^[ -~]*$/, 'expected a key of printable ASCII characters');

/** The environment variable in which `eval.py` is told the judge's servers. */
export const judgeVariable = 'LLM_AS_A_JUDGE_BASE';
