/**
 * Long random runs over the supervisor with three plugins. After every step the invariants of the plugin chart must
 * hold; at the end everything can be stopped and closed, and every call has been settled exactly once.
 *
 * A failure prints its seed and the shortest run found; FC_SEED and FC_RUNS repeat or widen it.
 */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createHarness } from '../../src/testing/harness.ts';
import { createWorld, HAPPENINGS, type Happening } from './world.ts';

const NAMES = ['a', 'b', 'c'];
const slots = { install: 2, launch: 1 };

const weights = Object.entries(HAPPENINGS) as [Happening, number][];
const happening = fc.record({
  what: fc.oneof(...weights.map(([what, weight]) => ({ weight, arbitrary: fc.constant(what) }))),
  name: fc.constantFrom(...NAMES),
  pick: fc.nat(7),
});

/** Long: a short run never gets a plugin past its first launch. */
const happenings = fc.array(happening, { maxLength: 250, size: 'max' });

const end = fc.constantFrom('stop', 'close');

test.each([
  ['off', false],
  ['on', true],
])('R66 no random run breaks an invariant, with tracing %s', async (_, trace) => {
  const property = fc.asyncProperty(happenings, end, async (run, ending) => {
    const harness = createHarness({ slots, timing: { liveness: 30_000 }, bounds: { heldCalls: 3 } });
    const world = createWorld(harness, NAMES, { slots, trace });
    for (const [index, { what, name, pick }] of run.entries()) {
      await world.happen(what, name, pick, `c${index}`);
      expect(world.violations(), `after ${index}: ${what} ${name} ${pick}`).toEqual([]);
    }
    if (ending === 'stop') {
      await world.stopAll();
      expect(world.violations(), 'after stopping all').toEqual([]);
      expect(world.openCalls()).toEqual([]);
    }
    await world.close();
    expect(world.violations(), 'after the close').toEqual([]);
    expect(world.openCalls()).toEqual([]);
  });
  await fc.assert(property, {
    seed: Number(process.env.FC_SEED ?? 20_261_122),
    numRuns: Number(process.env.FC_RUNS ?? 150),
  });
});
