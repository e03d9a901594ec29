import { describe, expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import { createCovered, createPlugin, reach } from './covered.ts';

const BOUNDS = { heldCalls: 100, relaunches: 8, healthFailures: 1 };

/** One plugin of a supervisor, ready, with the product's own times. */
async function inService() {
  const harness = createCovered({ timing: { liveness: 30_000 } });
  harness.add('a');
  harness.send({ type: 'START', plugin: 'a' });
  await harness.walk('a', 'ready');
  const { health } = harness.plugin('a');
  return { harness, health, states: () => harness.emitted.flatMap((event) => ('state' in event ? [event.state] : [])) };
}

describe('health', () => {
  test('is asked after 30 s in service, used or not, and again 30 s after a good answer', async () => {
    const { harness, health } = await inService();
    await harness.advance(29_999);
    expect(health.running).toBe(false);
    await harness.advance(1);
    expect(harness.state('a')).toBe('ready.checking');
    health.well();
    await harness.settle();
    expect(harness.state('a')).toBe('ready');
    harness.send({ type: 'traffic', plugin: 'a', event: { type: 'calls.quiet', generation: 1 } });
    await harness.advance(30_000);
    expect(harness.state('a')).toBe('idle.checking');
    expect(health.inputs).toEqual([
      { plugin: 'a', generation: 1, failures: 0 },
      { plugin: 'a', generation: 1, failures: 0 },
    ]);
  });

  test('R7 a check without an answer unroutes and kills nothing; a good one routes again, with what waited', async () => {
    const { harness, health, states } = await inService();
    await harness.advance(35_000);
    expect(harness.state('a')).toBe('ready.failing');
    harness.call('a', 'c1');
    expect(harness.verdicts('c1')).toEqual([]);
    expect(harness.context('a').health).toMatchObject({ failures: 1, failure: { code: 'RUN_UNRESPONSIVE' } });
    await harness.advance(1_000);
    expect(harness.state('a')).toBe('ready.rechecking');
    health.well();
    await harness.settle();
    expect(harness.state('a')).toBe('ready');
    expect(harness.verdicts('c1')).toMatchObject([{ type: 'call.admitted', generation: 1 }]);
    expect(harness.context('a').health).toEqual({ failures: 0, failure: null });
    expect(harness.plugin('a').process.spawns).toBe(1);
    expect(states().slice(-3)).toEqual(['ready', 'ready', 'ready']);
  });

  test('R7 three in a row without an answer restart it; the call that waited is served by the next generation', async () => {
    const { harness } = await inService();
    await harness.advance(35_000);
    harness.call('a', 'c1');
    await harness.advance(6_000);
    expect(harness.state('a')).toBe('ready.failing');
    await harness.advance(6_000);
    expect(harness.state('a')).toBe('stopping.closing');
    harness.plugin('a').process.exit(0);
    harness.plugin('a').process.empty();
    expect(harness.context('a').failure).toMatchObject({
      code: 'RUN_UNRESPONSIVE',
      message: 'The program runs, but 3 health checks in a row were not answered.',
      generation: 1,
    });
    await harness.advance(300);
    await harness.walk('a', 'ready');
    expect(harness.verdicts('c1')).toMatchObject([{ type: 'call.admitted', generation: 2 }]);
  });

  test('that says "not ready" unroutes for as long as it says so, and restarts nothing', async () => {
    const { harness, health, states } = await inService();
    await harness.advance(30_000);
    const told = states().length;
    for (let time = 1; time <= 10; time += 1) {
      health.unready();
      await harness.settle();
      expect(harness.state('a')).toBe('ready.failing');
      expect(harness.context('a').health).toMatchObject({ failures: 0, failure: { code: 'RUN_NOT_READY' } });
      await harness.advance(1_000);
    }
    expect(states().slice(told)).toEqual(['ready']);
    health.well();
    await harness.settle();
    expect(harness.state('a')).toBe('ready');
  });

  test('counts silences in a row: "not ready" between them is an answer', async () => {
    const { harness, health } = await inService();
    await harness.advance(30_000);
    for (let time = 1; time <= 3; time += 1) {
      health.silent();
      await harness.settle();
      await harness.advance(1_000);
      health.unready();
      await harness.settle();
      await harness.advance(1_000);
    }
    expect(harness.state('a')).toBe('ready.rechecking');
    expect(harness.context('a').health.failures).toBe(0);
  });

  test('says of a silence what to do about it, whatever the question failed of', async () => {
    const { harness, health } = await inService();
    await harness.advance(30_000);
    health.silent(createFailure('CALL_INTERRUPTED', { message: 'GET /: connection refused', stderrTail: ['last'] }));
    await harness.settle();
    const { code, hint } = createFailure('RUN_UNRESPONSIVE');
    const message = 'GET /: connection refused';
    expect(harness.context('a').health.failure).toMatchObject({
      code,
      hint,
      message,
      stderrTail: ['last'],
      generation: 1,
    });
  });

  test('is never asked of a plugin that wants none', async () => {
    const harness = createCovered({ timing: { liveness: 30_000 } });
    harness.add('a', { liveness: null, idleStop: null });
    harness.send({ type: 'START', plugin: 'a' });
    await harness.walk('a', 'ready');
    await harness.advance(3_600_000);
    expect(harness.plugin('a').health.inputs).toEqual([]);
  });

  test('is left by an exit, and its late answer changes nothing', async () => {
    const { harness, health } = await inService();
    await harness.advance(30_000);
    harness.plugin('a').process.exit(1);
    expect(health.running).toBe(false);
    expect(harness.state('a')).toBe('stopping.terminating');
  });

  test.each(['answer', 'time'])('may fail once only where the bounds say so: %s', async (end) => {
    const plugin = await reach(createPlugin({ liveness: 1_000 }, { bounds: BOUNDS }), 'ready');
    plugin.clock.advance(1_000);
    if (end === 'answer') plugin.health.silent();
    else plugin.clock.advance(5_000);
    await plugin.settle();
    expect(plugin.state()).toBe('stopping.closing');
  });
});

test('a breach of its limits ends it, with that failure', async () => {
  const plugin = await reach(createPlugin(), 'ready');
  const failure = createFailure('RUN_LIMIT', { message: 'It used 600 MB, of 512 MB allowed.' });
  plugin.process.say({ type: 'process.breached', generation: 1, failure });
  plugin.process.exit({ signal: 'SIGTERM' }, { stderrTail: ['last words'] });
  plugin.process.empty();
  expect(plugin.state()).toBe('crashed.waiting');
  expect(plugin.context().failure).toEqual({ ...failure, stderrTail: ['last words'] });
});
