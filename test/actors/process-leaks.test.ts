import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createHarness } from './process-harness.ts';

const openFiles = () => readdirSync('/proc/self/fd').length;

it.runIf(process.platform === 'linux')('two hundred starts leave no open file and no ledger entry', async () => {
  await using harness = await createHarness();
  /** Each leaves a child that holds its pipes. */
  const startTwenty = (generation: number) =>
    Array.from({ length: 20 }, (_, at) => {
      const run = harness.run(['sh', '-c', 'sleep 300 & exit 0'], { plugin: `p${at}`, generation });
      run.send({ type: 'spawn' });
      return run;
    });
  const endAll = async (runs: ReturnType<typeof startTwenty>) => {
    for (const run of runs) run.send({ type: 'signal', signal: 'SIGKILL' });
    await Promise.all(runs.map((run) => run.until('group.empty')));
    for (const run of runs) run.stop();
  };
  // What is opened once for good (guard, event loop, thread pool) is open after the first.
  const first = startTwenty(0);
  await Promise.all(first.map((run) => run.until('process.exited')));
  await endAll(first);
  const before = openFiles();
  for (let generation = 1; generation <= 10; generation += 1) {
    const runs = startTwenty(generation);
    await Promise.all(runs.map((run) => run.until('process.exited')));
    await expect.poll(openFiles).toBeLessThanOrEqual(before);
    await endAll(runs);
  }
  expect(openFiles()).toBeLessThanOrEqual(before);
  const ledger = join(harness.context.store.home, 'ledger');
  const entries = await readdir(ledger, { recursive: true });
  expect(entries.filter((name) => name.endsWith('.json'))).toEqual([]);
});
