import { describe, expect, test } from 'vitest';
import type { ProcessEvent } from '../../machines/contracts.ts';
import type { Harness } from '../../src/testing/harness.ts';
import { sampleSpec, sampleSurvey } from '../../src/testing/samples.ts';
import { createCovered } from './covered.ts';

async function ready(...names: string[]): Promise<Harness> {
  const harness = createCovered();
  for (const name of names) {
    harness.add(name);
    harness.send({ type: 'START', plugin: name });
    await harness.walk(name, 'ready');
  }
  return harness;
}

const status = (harness: Harness) => harness.actor.getSnapshot().status;

/** Facts without their content, which no process actor sends: the machine breaks on them, as on any bug of ours. */
function breakActor(harness: Harness, plugin: string): void {
  const type = harness.state(plugin).startsWith('stopping') ? 'group.abandoned' : 'process.exited';
  const { generation } = harness.context(plugin);
  harness.plugin(plugin).process.say({ type, generation } as ProcessEvent);
}

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

  test('is rebuilt even when the sweep breaks too', async () => {
    const harness = await ready('a');
    breakActor(harness, 'a');
    harness.plugin('a').sweep.break();
    await harness.settle();
    expect(harness.state('a')).toBe('absent.resting');
    expect(harness.errors).toEqual([]);
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
