import { describe, expect, test } from 'vitest';
import { sampleAttempt, sampleSurvey } from '../../src/testing/samples.ts';
import { createPlugin, reach } from './covered.ts';

describe('the start deadline', () => {
  test('counts from the spawn over launching and probing, not over the queue', async () => {
    const plugin = await reach(createPlugin(), 'launching.queued');
    plugin.clock.advance(3_600_000);
    expect(plugin.state()).toBe('launching.queued');
    plugin.send({ type: 'slot.granted', slot: 'launch' });
    plugin.clock.advance(20_000);
    plugin.process.spawned();
    plugin.clock.advance(39_999);
    expect(plugin.state()).toBe('probing');
    plugin.clock.advance(1);
    expect(plugin.state()).toBe('stopping.closing');
  });

  test.each([
    ['stdio', false, 'PROBE_TIMEOUT'],
    ['auto', false, 'PROBE_TIMEOUT'],
    ['streamable-http', false, 'PROBE_NO_PORT'],
    ['http', false, 'PROBE_NO_PORT'],
    ['http', true, 'PROBE_TIMEOUT'],
  ] as const)('of %s, with a socket seen: %s, is %s', async (transport, seen, code) => {
    const plugin = createPlugin();
    plugin.send({ type: 'START' });
    plugin.survey.done(sampleSurvey('launching', { attempt: sampleAttempt({ transport }) }));
    await plugin.settle();
    await reach(plugin, 'probing');
    if (seen) plugin.probe.listening();
    plugin.clock.advance(60_000);
    plugin.process.exit(1);
    plugin.process.empty();
    expect(plugin.context().failure?.code).toBe(code);
  });

  test('ends at ready', async () => {
    const plugin = await reach(createPlugin({ idleStop: null }), 'ready');
    plugin.clock.advance(3_600_000);
    expect(plugin.state()).toBe('ready');
    expect(plugin.clock.next()).toBeNull();
  });
});

describe('idle', () => {
  test('stops after the plugin’s own time, and never when that is null', async () => {
    const soon = await reach(createPlugin({ idleStop: 1_000 }), 'idle');
    soon.clock.advance(999);
    expect(soon.state()).toBe('idle');
    soon.clock.advance(1);
    expect(soon.state()).toBe('stopping.closing');
    const never = await reach(createPlugin({ idleStop: null }), 'idle');
    never.clock.advance(10 * 365 * 86_400_000);
    expect(never.state()).toBe('idle');
  });

  test('takes a time longer than a timer can hold for the longest that it can', async () => {
    const plugin = await reach(createPlugin({ idleStop: 365 * 86_400_000 }), 'idle');
    expect(plugin.clock.next()).toBe(2 ** 31 - 1);
  });

  test('begins anew after each busy time', async () => {
    const plugin = await reach(createPlugin({ idleStop: 1_000 }), 'idle');
    plugin.clock.advance(900);
    plugin.send({ type: 'calls.busy', generation: 1 });
    plugin.clock.advance(900);
    plugin.send({ type: 'calls.quiet', generation: 1 });
    plugin.clock.advance(900);
    expect(plugin.state()).toBe('idle');
  });
});
