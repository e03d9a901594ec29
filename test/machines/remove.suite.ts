import { describe, expect, test } from 'vitest';
import { sampleSurvey } from '../../src/testing/samples.ts';
import { breakActor, createCovered, ready } from './covered.ts';

describe('remove', () => {
  test('stops the plugin, ends its actor and says so', async () => {
    const harness = await ready('a', 'b');
    harness.send({ type: 'REMOVE', plugin: 'a' });
    expect(harness.state('a')).toBe('stopping.draining');
    harness.plugin('a').process.empty();
    expect(harness.state('a')).toBe('none');
    expect(harness.emitted.at(-1)).toEqual({ type: 'plugin.removed', plugin: 'a' });
    expect(harness.state('b')).toBe('ready');
    harness.call('a', 'c1');
    expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'CONFIG_UNKNOWN_PLUGIN' } }]);
  });

  test('of a resting plugin is immediate', () => {
    const harness = createCovered();
    harness.add('a');
    harness.send({ type: 'REMOVE', plugin: 'a' });
    expect(harness.state('a')).toBe('none');
  });

  test('answers a call that came in the same breath', async () => {
    const harness = createCovered();
    harness.add('a');
    harness.actor.on('plugin.entered', ({ state }) => {
      if (state !== 'cloning') return;
      harness.send({ type: 'REMOVE', plugin: 'a' });
      harness.call('a', 'c1');
    });
    harness.send({ type: 'START', plugin: 'a' });
    harness.plugin('a').survey.done(sampleSurvey('cloning'));
    await harness.settle();
    expect(harness.state('a')).toBe('none');
    expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
  });

  test('answers a call that was deferred behind it', async () => {
    const harness = await ready('a');
    breakActor(harness, 'a');
    harness.send({ type: 'REMOVE', plugin: 'a' });
    harness.call('a', 'c1');
    harness.plugin('a').sweep.done();
    await harness.settle();
    expect(harness.state('a')).toBe('none');
    expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
  });

  test('a later plugin of that name continues its generations and knows what was abandoned', async () => {
    const harness = await ready('a');
    harness.send({ type: 'REMOVE', plugin: 'a' });
    await harness.advance(11_000);
    harness.plugin('a').process.abandoned([7, 8]);
    expect(harness.state('a')).toBe('none');
    const a = harness.add('a');
    harness.call('a', 'c1');
    expect(a.survey.inputs.at(-1)?.abandoned).toEqual([7, 8]);
    await harness.walk('a', 'ready');
    expect(harness.context('a')).toMatchObject({ generation: 2, abandoned: [] });
  });

  test('adding a name twice changes nothing', async () => {
    const harness = await ready('a');
    const child = harness.child('a');
    harness.add('a');
    expect(harness.child('a')).toBe(child);
    expect(harness.state('a')).toBe('ready');
  });
});
