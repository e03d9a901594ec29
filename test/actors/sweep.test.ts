import { afterEach, beforeEach, expect, it } from 'vitest';
import { createActor, toPromise } from 'xstate';
import { isAlive } from '../../actors/groups.ts';
import { createSweepActor } from '../../actors/sweep.ts';
import { createHarness, type Harness, started } from './process-harness.ts';

let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness[Symbol.asyncDispose]());

const sweep = (plugin: string) =>
  toPromise(createActor(createSweepActor(harness.context), { input: { plugin } }).start());

it('ends everything of one plugin, and nothing of another', async () => {
  const [mine, other] = [
    harness.run(['node', 'setsid-escapee.mjs']),
    harness.run(['node', 'forever.mjs'], { plugin: 'q' }),
  ];
  const pids = (await started(mine)).pids();
  const { pid } = await started(other);
  await sweep('p');
  expect(pids.filter(isAlive)).toEqual([]);
  expect(harness.context.instances.has('p')).toBe(false);
  expect(isAlive(pid)).toBe(true);
  other.send({ type: 'signal', signal: 'SIGKILL' });
  await other.until('group.empty');
  await mine.until('group.empty');
});

it('is done at once where there is nothing', async () => {
  await sweep('nobody');
});
