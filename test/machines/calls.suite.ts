import { describe, expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import { createCovered, createPlugin, reach } from './covered.ts';

const WAITING = [
  'absent.checking',
  'cloning.queued',
  'cloning.running',
  'cloning.cancelling',
  'detecting.running',
  'detecting.cancelling',
  'installing.running',
  'installing.cancelling',
  'launching.queued',
  'launching.running',
  'probing',
  'stopping.draining',
  'stopping.closing',
  'stopping.terminating',
  'stopping.killing',
  'stopping.sweeping',
  'crashed.waiting',
];

describe('CALL', () => {
  test('in absent starts the plugin and is held', async () => {
    const plugin = createPlugin();
    plugin.call('c1');
    expect(plugin.state()).toBe('absent.checking');
    expect(plugin.context().held).toEqual(['c1']);
    expect(plugin.verdicts('c1')).toEqual([]);
  });

  test.each(WAITING)('in %s is held, and withdrawn in silence', async (state) => {
    const plugin = await reach(createPlugin(), state);
    plugin.call('c1');
    expect(plugin.state()).toBe(state);
    expect(plugin.context().held).toEqual(['c1']);
    plugin.send({ type: 'call.cancelled', callId: 'c1' });
    expect(plugin.context().held).toEqual([]);
    expect(plugin.verdicts('c1')).toEqual([]);
  });

  test.each(WAITING)('in %s is rejected as CALL_QUEUE_FULL above the limit', async (state) => {
    const plugin = await reach(createPlugin({}, { bounds: { heldCalls: 2, relaunches: 8, healthFailures: 3 } }), state);
    for (const callId of ['c1', 'c2', 'c3']) plugin.call(callId);
    expect(plugin.context().held).toEqual(['c1', 'c2']);
    expect(plugin.verdicts('c3')).toMatchObject([{ type: 'call.rejected', failure: { code: 'CALL_QUEUE_FULL' } }]);
  });

  test.each(['ready', 'idle'])('in %s is admitted at once, with the generation', async (state) => {
    const plugin = await reach(createPlugin(), state);
    plugin.call('c1');
    expect(plugin.state()).toBe(state);
    expect(plugin.verdicts('c1')).toMatchObject([{ type: 'call.admitted', generation: 1 }]);
  });

  test('in crashed.parked is rejected with the failure that parked it', async () => {
    const plugin = await reach(createPlugin(), 'crashed.parked');
    plugin.call('c1');
    expect(plugin.verdicts('c1')).toMatchObject([{ type: 'call.rejected', failure: { code: 'PROBE_PROTOCOL' } }]);
  });

  test('after an operator’s STOP is rejected until START', async () => {
    const plugin = createPlugin();
    plugin.send({ type: 'STOP' });
    plugin.call('c1');
    expect(plugin.verdicts('c1')).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
    plugin.send({ type: 'START' });
    plugin.call('c2');
    expect(plugin.context().held).toEqual(['c2']);
  });

  test('of a manual plugin is rejected in absent, and when it stops because it was idle', async () => {
    const plugin = createPlugin({ activation: 'manual' });
    plugin.call('c1');
    expect(plugin.verdicts('c1')).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
    await reach(plugin, 'idle');
    plugin.timePasses();
    plugin.call('c2');
    expect(plugin.verdicts('c2')).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
    plugin.process.empty();
    expect(plugin.state()).toBe('absent.resting');
    plugin.call('c3');
    expect(plugin.verdicts('c3')).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
  });

  test('that comes while it stops for idleness starts it again', async () => {
    const plugin = await reach(createPlugin(), 'idle');
    plugin.timePasses();
    expect(plugin.state()).toBe('stopping.closing');
    plugin.call('c1');
    plugin.process.exit(0);
    plugin.process.empty();
    expect(plugin.state()).toBe('absent.checking');
    await reach(plugin, 'ready');
    expect(plugin.verdicts('c1')).toMatchObject([{ type: 'call.admitted', generation: 2 }]);
  });

  test('after REMOVE says that the plugin is being removed', async () => {
    const plugin = await reach(createPlugin(), 'ready');
    plugin.send({ type: 'REMOVE' });
    plugin.call('c1');
    expect(plugin.verdicts('c1')).toMatchObject([
      { failure: { code: 'CALL_STOPPED', message: 'a is being removed.' } },
    ]);
  });
});

describe('held calls', () => {
  test('are admitted in order on entering ready', async () => {
    const plugin = createPlugin();
    for (const callId of ['c1', 'c2', 'c3']) plugin.call(callId);
    await reach(plugin, 'ready');
    const said = plugin.reports.filter((report) => report.type === 'call.admitted' || report.type === 'plugin.entered');
    expect(said.slice(-4).map((report) => ('callId' in report ? report.callId : report.state))).toEqual([
      ...['ready', 'c1', 'c2', 'c3'],
    ]);
    expect(plugin.context().held).toEqual([]);
  });

  test.each(['STOP', 'KILL', 'REMOVE'] as const)('are rejected by %s', async (type) => {
    const plugin = createPlugin();
    plugin.call('c1');
    await reach(plugin, 'probing');
    plugin.call('c2');
    plugin.send({ type });
    for (const callId of ['c1', 'c2']) {
      expect(plugin.verdicts(callId)).toMatchObject([{ failure: { code: 'CALL_STOPPED' } }]);
    }
  });

  test('survive a backoff and are rejected by the park', async () => {
    const plugin = createPlugin();
    plugin.call('c1');
    await reach(plugin, 'crashed.waiting');
    plugin.send({ type: 'retry.scheduled', at: 250 });
    expect(plugin.context()).toMatchObject({ held: ['c1'], retryAt: 250 });
    plugin.send({ type: 'retry.parked', trialAt: null });
    expect(plugin.verdicts('c1')).toMatchObject([{ failure: { code: 'PROBE_PROTOCOL' } }]);
  });
});

test('a call to an unknown plugin is rejected by the supervisor', () => {
  const harness = createCovered();
  harness.call('nobody', 'c1');
  harness.call('constructor', 'c2');
  expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'CONFIG_UNKNOWN_PLUGIN' } }]);
  expect(harness.verdicts('c2')).toMatchObject([{ failure: { code: 'CONFIG_UNKNOWN_PLUGIN' } }]);
});

test('a withdrawn call gets no verdict, whatever happens later', async () => {
  const harness = createCovered();
  harness.add('a');
  harness.call('a', 'c1');
  harness.call('a', 'c2');
  harness.send({ type: 'traffic', plugin: 'a', event: { type: 'call.cancelled', callId: 'c1' } });
  await harness.walk('a', 'ready');
  expect(harness.verdicts('c1')).toEqual([]);
  expect(harness.verdicts('c2')).toMatchObject([{ type: 'call.admitted' }]);
});

test('100 first calls make one start and are all admitted', async () => {
  const harness = createCovered();
  const a = harness.add('a');
  const calls = Array.from({ length: 100 }, (_, index) => `c${index}`);
  for (const callId of calls) harness.call('a', callId);
  await harness.walk('a', 'ready');
  expect(a.process.inputs).toHaveLength(1);
  for (const callId of calls)
    expect(harness.verdicts(callId)).toMatchObject([{ type: 'call.admitted', generation: 1 }]);
});

test('a plugin that can not start tells every waiting call why', async () => {
  const harness = createCovered();
  const a = harness.add('a');
  harness.call('a', 'c1');
  a.survey.done();
  await harness.walk('a', 'launching.running');
  a.process.failed(createFailure('LAUNCH_SPAWN', { message: 'ENOENT' }));
  a.process.empty();
  expect(harness.state('a')).toBe('crashed.parked');
  expect(harness.verdicts('c1')).toMatchObject([{ failure: { code: 'LAUNCH_SPAWN', message: 'ENOENT' } }]);
});
