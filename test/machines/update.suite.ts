import { describe, expect, test } from 'vitest';
import { sampleSpec } from '../../src/testing/samples.ts';
import { breakActor, createCovered, ready } from './covered.ts';

describe('UPDATE', () => {
  test('of the policy alone touches nothing that runs and counts from now on', async () => {
    const harness = await ready('a', 'b');
    harness.send({ type: 'UPDATE', plugin: 'a', spec: sampleSpec({ idleStop: 1_000 }), restarts: false });
    expect(harness.state('a')).toBe('ready');
    harness.send({ type: 'traffic', plugin: 'a', event: { type: 'calls.quiet', generation: 1 } });
    await harness.advance(1_000);
    expect([harness.state('a'), harness.state('b')]).toEqual(['stopping.closing', 'ready']);
  });

  test('of the idle time counts at once for what is idle already', async () => {
    const harness = createCovered();
    harness.add('a', { idleStop: null });
    harness.send({ type: 'START', plugin: 'a' });
    await harness.walk('a', 'ready');
    harness.send({ type: 'traffic', plugin: 'a', event: { type: 'calls.quiet', generation: 1 } });
    await harness.advance(3_600_000);
    const idle = harness.emitted.length;
    harness.send({ type: 'UPDATE', plugin: 'a', spec: sampleSpec({ idleStop: 1_000 }), restarts: false });
    await harness.advance(999);
    expect(harness.state('a')).toBe('idle');
    expect(harness.emitted).toHaveLength(idle);
    await harness.advance(1);
    expect(harness.state('a')).toBe('stopping.closing');
  });

  test('of the time between health checks counts at once', async () => {
    const harness = createCovered();
    harness.add('a', { liveness: null });
    harness.send({ type: 'START', plugin: 'a' });
    await harness.walk('a', 'ready');
    await harness.advance(3_600_000);
    harness.send({ type: 'UPDATE', plugin: 'a', spec: sampleSpec({ liveness: 1_000 }), restarts: false });
    await harness.advance(1_000);
    expect(harness.state('a')).toBe('ready.checking');
  });

  test.each([
    ['of the launch', true],
    ['of the policy', false],
  ])('%s, to eager, leaves stopped what was stopped', async (_, restarts) => {
    const harness = await ready('a');
    harness.send({ type: 'STOP', plugin: 'a' });
    await harness.walk('a', 'absent.resting');
    harness.send({ type: 'UPDATE', plugin: 'a', spec: sampleSpec({ activation: 'eager' }), restarts });
    expect(harness.state('a')).toBe('absent.resting');
    harness.send({ type: 'START', plugin: 'a' });
    await harness.walk('a', 'ready');
  });

  test('of the launch drains what runs, then starts anew with the new spec; others are left alone', async () => {
    const harness = await ready('a', 'b');
    const spec = sampleSpec({ overrides: { args: ['--new'] } });
    harness.send({ type: 'UPDATE', plugin: 'a', spec, restarts: true });
    expect(harness.state('a')).toBe('stopping.draining');
    harness.call('a', 'c1');
    harness.send({ type: 'traffic', plugin: 'a', event: { type: 'calls.drained', generation: 1 } });
    harness.plugin('a').process.exit(0);
    await harness.walk('a', 'ready');
    expect(harness.plugin('a').process.inputs.at(-1)).toMatchObject({ generation: 2, spec });
    expect(harness.verdicts('c1')).toMatchObject([{ type: 'call.admitted', generation: 2 }]);
    expect(harness.context('b').generation).toBe(1);
    expect(harness.emitted.some((event) => 'state' in event && event.state === 'crashed')).toBe(false);
  });

  test('forgives what the old spec did: a parked plugin starts with the next call', async () => {
    const harness = createCovered();
    harness.add('a', { restart: 'temporary' });
    harness.send({ type: 'START', plugin: 'a' });
    await harness.walk('a', 'ready');
    harness.plugin('a').process.exit(1);
    harness.plugin('a').process.empty();
    expect(harness.state('a')).toBe('crashed.parked');
    harness.send({ type: 'UPDATE', plugin: 'a', spec: sampleSpec(), restarts: true });
    expect(harness.state('a')).toBe('absent.resting');
    harness.call('a', 'c1');
    await harness.walk('a', 'ready');
    expect(harness.verdicts('c1')).toMatchObject([{ type: 'call.admitted' }]);
  });

  test('ends a backoff: nothing of the old spec is waited for', async () => {
    const harness = await ready('a');
    harness.plugin('a').process.exit(1);
    harness.plugin('a').process.empty();
    expect(harness.state('a')).toBe('crashed.waiting');
    harness.send({ type: 'UPDATE', plugin: 'a', spec: sampleSpec(), restarts: true });
    expect(harness.state('a')).toBe('absent.checking');
    expect(harness.clock.next()).toBeNull();
  });

  test.each([
    ['a new spec', true],
    ['a new policy', false],
  ])('to eager starts what is at rest: %s', (_, restarts) => {
    const harness = createCovered();
    harness.add('a');
    harness.send({ type: 'UPDATE', plugin: 'a', spec: sampleSpec({ activation: 'eager' }), restarts });
    expect(harness.state('a')).toBe('absent.checking');
  });

  test('to manual keeps calls from starting it, and back again lets them', () => {
    const harness = createCovered();
    harness.add('a');
    const update = (activation: 'manual' | 'lazy') =>
      harness.send({ type: 'UPDATE', plugin: 'a', spec: sampleSpec({ activation }), restarts: false });
    update('manual');
    harness.call('a', 'c1');
    expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
    update('lazy');
    harness.call('a', 'c2');
    expect(harness.state('a')).toBe('absent.checking');
  });

  test('waits for an actor that is being rebuilt', async () => {
    const harness = await ready('a');
    breakActor(harness, 'a');
    await harness.settle();
    const spec = sampleSpec({ overrides: { args: ['--new'] } });
    harness.send({ type: 'UPDATE', plugin: 'a', spec, restarts: true });
    harness.plugin('a').sweep.done();
    await harness.settle();
    expect(harness.context('a').spec).toEqual(spec);
  });
});

describe('spawns of all plugins together', () => {
  test('wait when there were as many as the window allows, and go on when it has room', async () => {
    const harness = createCovered({ restartPolicy: { maxSpawns: 2, spawnWindow: 10_000 } });
    const names = ['a', 'b', 'c'];
    for (const name of names) {
      harness.add(name);
      harness.send({ type: 'START', plugin: name });
    }
    await harness.walk('a', 'ready');
    await harness.advance(4_000);
    await harness.walk('b', 'ready');
    harness.plugin('c').survey.done();
    await harness.settle();
    expect(names.map(harness.state)).toEqual(['ready', 'ready', 'launching.queued']);
    await harness.advance(5_999);
    expect(harness.state('c')).toBe('launching.queued');
    await harness.advance(1);
    expect(harness.state('c')).toBe('launching.running');
  });

  test('are one at a time at the least', async () => {
    const harness = createCovered({ restartPolicy: { maxSpawns: 0, spawnWindow: 10_000 } });
    harness.add('a');
    harness.send({ type: 'START', plugin: 'a' });
    await harness.walk('a', 'ready');
  });
});
