/** What a plugin that is restarted for weeks costs its host: nothing. */

import { readdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { createHarness } from '../actors/process-harness.ts';
import { createStage, eventually, puppet } from './stage.ts';

const openFiles = () => readdirSync('/proc/self/fd').length;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** In MB, of what is still in use. */
function memory(): { readonly rss: number; readonly heap: number } {
  collectGarbage();
  const { rss, heapUsed } = process.memoryUsage();
  return { rss: rss / 1024 ** 2, heap: heapUsed / 1024 ** 2 };
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;

describe.runIf(process.platform === 'linux')('restarts', () => {
  test('R57 a thousand restarts of a process leave no open file, no memory and no entry in the ledger', async () => {
    await using harness = await createHarness();
    const [rounds, plugins] = [50, 20];
    const restart = async (name: string, generation: number) => {
      const run = harness.run(['true'], { plugin: name, generation });
      run.send({ type: 'spawn' });
      await run.until('group.empty');
      expect(run.events.map(({ type }) => type)).toEqual(['process.spawned', 'process.exited', 'group.empty']);
      run.stop();
    };
    const samples: ReturnType<typeof memory>[] = [];
    const files: number[] = [];
    for (let generation = 1; generation <= rounds; generation += 1) {
      await Promise.all(Array.from({ length: plugins }, (_, at) => restart(`p${at}`, generation)));
      samples.push(memory());
      files.push(openFiles());
    }
    // What is opened and loaded once for good is there after the first quarter.
    const quarter = (at: number) => samples.slice(Math.floor((rounds * at) / 4), Math.floor((rounds * (at + 1)) / 4));
    const growth = (of: (sample: (typeof samples)[number]) => number) =>
      median(quarter(3).map(of)) - median(quarter(1).map(of));
    // 500 restarts lie between the two: 6 kB each that are kept show.
    expect(growth(({ heap }) => heap)).toBeLessThan(3);
    expect(growth(({ rss }) => rss)).toBeLessThan(24);
    await eventually(() => openFiles() <= files[0]!);
    const entries = await readdir(join(harness.context.store.home, 'ledger'), { recursive: true });
    expect(entries.filter((name) => name.endsWith('.json'))).toEqual([]);
    expect(harness.complaints).toEqual([]);
  });

  test('R57 restarts of whole plugins leave no open file and no process', async () => {
    const names = ['a', 'b', 'c', 'd'];
    await using stage = await createStage({
      plugins: Object.fromEntries(names.map((name) => [name, puppet()])),
      restartPolicy: { maxSpawns: 1000 },
    });
    const { supervisor } = stage;
    const restartAll = () => Promise.all(names.map((name) => supervisor.restart(name)));
    await restartAll();
    await restartAll();
    const before = openFiles();
    const rounds = 8;
    for (let round = 0; round < rounds; round += 1) await restartAll();
    for (const name of names) expect(supervisor.status(name).generation).toBe(rounds + 2);
    await eventually(() => openFiles() <= before);
  });
});
