import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runSoak } from '../soak/run-soak.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/processes', import.meta.url));

// `npm run soak` is the long one.
test.runIf(process.platform === 'linux')(
  'R57 crashes of every kind leave no process, no descriptor and no temp folder, and every call settles once with its true fate',
  async () => {
    const report = await runSoak({ cycles: 20, plugins: 4, seed: 4, fixtures, sampleEvery: 10 });
    expect(report.violations).toEqual([]);
    expect(report.cycles).toBe(20);
    expect(report.calls.answered).toBeGreaterThan(0);
  },
);
