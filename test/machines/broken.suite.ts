import { describe, expect, test } from 'vitest';
import { breakActor, createCovered, ready, status } from './covered.ts';

describe('an actor that breaks', () => {
  test('is swept and rebuilt alone; its calls fail, its siblings never notice', async () => {
    const harness = await ready('a', 'b');
    const sibling = harness.child('b');
    harness.send({ type: 'RESTART', plugin: 'a' });
    await harness.walk('a', 'probing');
    harness.call('a', 'held');
    const sent = harness.emitted.length;
    breakActor(harness, 'a');
    expect(harness.plugin('a').sweep.running).toBe(true);
    const { process, probe } = harness.plugin('a');
    expect([process.running, probe.running], 'what it had invoked is stopped too').toEqual([false, false]);
    expect(harness.emitted.slice(sent)).toMatchObject([{ state: 'crashed', failure: { code: 'INTERNAL_ERROR' } }]);
    expect(harness.verdicts('held')).toEqual([]);
    harness.plugin('a').sweep.done();
    await harness.settle();
    expect(harness.verdicts('held')).toMatchObject([{ failure: { code: 'INTERNAL_ERROR' } }]);
    expect(harness.state('a')).toBe('absent.resting');
    expect(harness.context('a').generation).toBe(2);
    expect(harness.child('b')).toBe(sibling);
    expect(harness.errors).toEqual([]);
    await harness.advance(250);
    await harness.walk('a', 'ready');
    expect(harness.context('a').generation).toBe(3);
  });

  test('takes commands and calls while it is swept, and obeys them after', async () => {
    const harness = await ready('a');
    breakActor(harness, 'a');
    harness.call('a', 'kept');
    harness.call('a', 'withdrawn');
    harness.send({ type: 'traffic', plugin: 'a', event: { type: 'call.cancelled', callId: 'withdrawn' } });
    harness.plugin('a').sweep.done();
    await harness.settle();
    await harness.walk('a', 'ready');
    expect(harness.verdicts('kept')).toMatchObject([{ type: 'call.admitted', generation: 2 }]);
    expect(harness.verdicts('withdrawn')).toEqual([]);
  });

  test.each(['STOP', 'START', 'RESTART', 'RESET', 'REMOVE'] as const)('obeys %s after the sweep', async (type) => {
    const harness = await ready('a');
    breakActor(harness, 'a');
    harness.send({ type, plugin: 'a' });
    harness.plugin('a').sweep.done();
    await harness.settle();
    const after = { STOP: 'absent.resting', RESET: 'absent.resting', REMOVE: 'none' };
    expect(harness.state('a')).toBe(type in after ? after[type as 'STOP'] : 'absent.checking');
    await harness.advance(3_600_000);
    expect(harness.plugin('a').process.inputs).toHaveLength(1);
  });

  test('while it was stopped on request leaves the plugin stopped', async () => {
    const harness = await ready('a');
    harness.send({ type: 'STOP', plugin: 'a' });
    expect(harness.state('a')).toMatch(/^stopping/);
    breakActor(harness, 'a');
    harness.plugin('a').sweep.done();
    await harness.settle();
    await harness.advance(3_600_000);
    expect(harness.state('a')).toBe('absent.resting');
    harness.call('a', 'c1');
    expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
  });

  test('is rebuilt even when the sweep breaks too', async () => {
    const harness = await ready('a');
    breakActor(harness, 'a');
    harness.plugin('a').sweep.break();
    await harness.settle();
    expect(harness.state('a')).toBe('absent.resting');
    expect(harness.errors).toEqual([]);
    await harness.advance(3_600_000);
    expect(harness.plugin('a').process.inputs, 'something may live still').toHaveLength(1);
  });

  test('before any process is rebuilt at rest: nothing ran, so nothing is started again', async () => {
    const harness = createCovered();
    harness.add('a');
    harness.call('a', 'c1');
    harness.plugin('a').survey.break();
    await harness.settle();
    harness.plugin('a').sweep.done();
    await harness.settle();
    expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'INTERNAL_ERROR' } }]);
    await harness.advance(3_600_000);
    expect(harness.state('a')).toBe('absent.resting');
  });

  test('again and again is parked like any crash', async () => {
    const harness = await ready('a');
    for (let times = 1; times <= 10; times += 1) {
      breakActor(harness, 'a');
      harness.plugin('a').sweep.done();
      await harness.settle();
      if (times < 10) {
        await harness.advance(harness.clock.next()! - harness.clock.now());
        await harness.walk('a', 'ready');
      }
    }
    expect(harness.state('a')).toBe('absent.resting');
    await harness.advance(59_999);
    expect(harness.state('a')).toBe('absent.resting');
  });

  test('and whose plugin is called before its backoff ends leaves no timer behind', async () => {
    const harness = await ready('a');
    breakActor(harness, 'a');
    harness.plugin('a').sweep.done();
    await harness.settle();
    expect(harness.clock.pending()).toBe(1);
    harness.call('a', 'c1');
    await harness.walk('a', 'probing');
    harness.plugin('a').process.exit(1);
    harness.plugin('a').process.empty();
    expect(harness.state('a')).toBe('crashed.waiting');
    expect(harness.clock.pending()).toBe(1);
  });

  test('while it is removed is removed after the sweep', async () => {
    const harness = await ready('a');
    harness.send({ type: 'REMOVE', plugin: 'a' });
    breakActor(harness, 'a');
    harness.plugin('a').sweep.done();
    await harness.settle();
    expect(harness.state('a')).toBe('none');
    expect(harness.emitted.at(-1)).toEqual({ type: 'plugin.removed', plugin: 'a' });
  });

  test.each(['done', 'break'] as const)('while closing is swept (%s) and counts as at rest', async (end) => {
    const harness = await ready('a');
    harness.send({ type: 'CLOSE' });
    breakActor(harness, 'a');
    expect(status(harness)).toBe('active');
    harness.plugin('a').sweep[end]();
    await harness.settle();
    expect(status(harness)).toBe('done');
  });

  test('before the close keeps the close waiting for its sweep', async () => {
    const harness = await ready('a');
    breakActor(harness, 'a');
    harness.call('a', 'c1');
    harness.send({ type: 'CLOSE' });
    expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'INTERNAL_CLOSED' } }]);
    expect(status(harness)).toBe('active');
    harness.plugin('a').sweep.done();
    await harness.settle();
    expect(status(harness)).toBe('done');
  });
});
