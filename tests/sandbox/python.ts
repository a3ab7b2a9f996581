import { fileURLToPath } from 'node:url';

/** The interpreter that has the imaging libraries. */
export const python = fileURLToPath(new URL('../../.venv/bin/python', import.meta.url));
