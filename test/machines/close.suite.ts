import { describe, expect, test } from 'vitest';
import { sampleSpec, sampleSurvey } from '../../src/testing/samples.ts';
import { createCovered, ready, status } from './covered.ts';

describe('close', () => {
  test('of a supervisor without plugins is immediate', () => {
    const harness = createCovered();
    harness.send({ type: 'CLOSE' });
    expect(status(harness)).toBe('done');
  });

  test('begins the stops in reverse order of start and waits for none before the next', async () => {
    const harness = await ready('a', 'b', 'c');
    harness.send({ type: 'RESTART', plugin: 'a' });
    await harness.walk('a', 'ready');
    const before = harness.emitted.length;
    harness.send({ type: 'CLOSE' });
    const stopped = harness.emitted.slice(before).map((event) => event.plugin);
    expect(stopped).toEqual(['a', 'c', 'b']);
    expect(['a', 'b', 'c'].map(harness.state)).toEqual(Array(3).fill('stopping.draining'));
  });

  test('is done when the last one rests', async () => {
    const harness = await ready('a', 'b');
    harness.send({ type: 'CLOSE' });
    await harness.walk('a', 'absent.resting');
    expect(status(harness)).toBe('active');
    harness.plugin('b').process.empty();
    expect(status(harness)).toBe('done');
    expect(harness.plugin('b').process.live).toEqual([]);
  });

  test('kills whatever has not stopped after 10 s', async () => {
    const harness = createCovered({ timing: { drain: 20_000 } });
    harness.add('a');
    harness.send({ type: 'START', plugin: 'a' });
    await harness.walk('a', 'ready');
    harness.send({ type: 'CLOSE' });
    await harness.advance(9_999);
    expect(harness.state('a')).toBe('stopping.draining');
    await harness.advance(1);
    expect(harness.state('a')).toBe('stopping.killing');
    harness.plugin('a').process.empty();
    expect(status(harness)).toBe('done');
  });

  test('a second signal kills at once', async () => {
    const harness = await ready('a');
    harness.send({ type: 'CLOSE' });
    harness.send({ type: 'KILL' });
    expect(harness.state('a')).toBe('stopping.killing');
  });

  test('KILL closes without any grace', async () => {
    const harness = await ready('a');
    harness.send({ type: 'KILL' });
    expect(harness.actor.getSnapshot().value).toBe('closing');
    expect(harness.state('a')).toBe('stopping.killing');
    harness.plugin('a').process.empty();
    expect(status(harness)).toBe('done');
  });

  test('is done although processes had to be abandoned, and names them', async () => {
    const harness = await ready('a');
    harness.send({ type: 'KILL' });
    await harness.advance(4_000);
    expect(harness.plugin('a').process.commands.at(-1)).toBe('abandon');
    harness.plugin('a').process.abandoned([9]);
    expect(status(harness)).toBe('done');
    expect(harness.emitted.at(-1)).toMatchObject({ state: 'crashed', failure: { code: 'STOP_ABANDONED' } });
  });

  test('cancels jobs and waits for them, backoffs and parks end at once', async () => {
    const harness = await ready('a', 'b');
    for (const plugin of ['a', 'b']) {
      harness.plugin(plugin).process.exit(1);
      harness.plugin(plugin).process.empty();
    }
    await harness.advance(250);
    harness.plugin('a').survey.done(sampleSurvey('cloning'));
    await harness.settle();
    harness.plugin('b').survey.done();
    await harness.settle();
    harness.plugin('b').process.failed();
    harness.plugin('b').process.empty();
    expect(['a', 'b'].map(harness.state)).toEqual(['cloning.running', 'crashed.parked']);
    harness.send({ type: 'CLOSE' });
    expect(harness.state('b')).toBe('absent.resting');
    expect(harness.plugin('a').clone.cancelled).toBe(true);
    harness.plugin('a').clone.cancel();
    expect(status(harness)).toBe('done');
  });

  test('rejects calls that wait and calls that come', async () => {
    const harness = createCovered();
    harness.add('a');
    harness.call('a', 'c1');
    await harness.walk('a', 'probing');
    harness.send({ type: 'CLOSE' });
    harness.call('a', 'c2');
    harness.call('nobody', 'c3');
    expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
    expect(harness.verdicts('c2')).toMatchObject([{ failure: { code: 'INTERNAL_CLOSED' } }]);
    expect(harness.verdicts('c3')).toMatchObject([{ failure: { code: 'INTERNAL_CLOSED' } }]);
  });

  test('starts nothing any more', async () => {
    const harness = await ready('a');
    harness.send({ type: 'CLOSE' });
    harness.send({ type: 'START', plugin: 'a' });
    harness.send({ type: 'RESTART', plugin: 'a' });
    harness.send({ type: 'ADD', plugin: 'b', spec: sampleSpec({ activation: 'eager' }) });
    expect(harness.state('b')).toBe('none');
    harness.plugin('a').process.empty();
    expect(status(harness)).toBe('done');
    expect(harness.plugin('a').process.inputs).toHaveLength(1);
  });
});
