import { join } from 'node:path';
import type { Isolation } from '../domain/sandbox.ts';

/** Only what Python needs of the environment reaches the guest, and so the code of the model. */
export const guestEnvironment = (isolation: Isolation, scratch: string): Record<string, string> => ({
  // No program is found by its name: matplotlib would look for fonts with one, and code has no need of any.
  PATH: '/nonexistent',
  HOME: isolation === 'none' ? scratch : '/sandbox',
  TMPDIR: isolation === 'none' ? scratch : '/sandbox/tmp',
  LANG: 'C.UTF-8',
  // The C library would have a heap for each thread, which takes 64 MiB of the address space that a call has.
  MALLOC_ARENA_MAX: '1',
  MPLBACKEND: 'Agg',
  // The guest's own folder, as `root_view.py` names it.
  MPLCONFIGDIR: join(isolation === 'none' ? scratch : '/guest', 'matplotlib'),
  OMP_NUM_THREADS: '1',
  OPENBLAS_NUM_THREADS: '1',
  PYTHONDONTWRITEBYTECODE: '1',
});
