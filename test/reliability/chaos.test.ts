import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, test } from 'vitest';
import { runChaos } from '../chaos/run-chaos.ts';
import { bundleProgram } from '../support/program.ts';
import { createStage, puppet } from './stage.ts';

const fixtures = fileURLToPath(new URL('../../fixtures/processes', import.meta.url));

/** `npm run chaos` is the long one; a seed that broke something is added here. */
const SEEDS = [
  { seed: 2, plugins: 3, steps: 3 },
  { seed: 9, plugins: 4, steps: 3 },
] as const;

describe.runIf(process.platform === 'linux')('R66 misfortunes at random on real processes', () => {
  let host: string;
  beforeAll(async () => {
    host = await bundleProgram('chaos/chaos.ts');
  });

  test.each(SEEDS)('R66 seed $seed leaves every invariant standing, and every plugin usable', async (given) => {
    const { violations, history, steps } = await runChaos({ ...given, fixtures, host });
    expect(violations, history.join('\n')).toEqual([]);
    expect(steps).toBe(given.steps);
  });
});

// Seed 11 of the long run, step 6: the plugin went from stopping straight to launching, and `stop` waited for ever.
test('R31 a stop that is overtaken by a restart ends, and so does the restart', async () => {
  await using stage = await createStage({ plugins: { p: puppet() } });
  const { supervisor } = stage;
  await supervisor.start('p');
  const stopping = supervisor.stop('p');
  const again = supervisor.restart('p');
  await stopping;
  expect(await again).toMatchObject({ generation: 2 });
});
