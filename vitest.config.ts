import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['tests/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // Many tests start servers and sandboxes of their own; more at once than there are cores only slows each.
    maxWorkers: 2,
    // Tests of real processes may lose a race on a machine that others load too: one more try, which the report shows.
    retry: 1,
    reporters: ['default'],
    // A failure in a summary of one line says all that it saw.
    chaiConfig: { truncateThreshold: 0 },
  },
});
