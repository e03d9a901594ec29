import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    // Two cores are the smallest machine that must pass; real installs and processes run beside each other badly.
    maxWorkers: 2,
    pool: 'forks',
  },
});
