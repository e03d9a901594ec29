import { describe, expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import { defaultTiming } from '../../machines/policy.ts';
import { sampleSurvey } from '../../src/testing/samples.ts';
import { createPlugin, type Plugin, reach } from './covered.ts';

const disconnected = createFailure('RUN_DISCONNECTED');

/** Every way out of alive: from where, by what, to which first step of stopping, and where it ends. */
const WAYS: [from: string, what: string, by: (plugin: Plugin) => void, first: string, end: string][] = [
  ['launching.queued', 'STOP', ({ send }) => send({ type: 'STOP' }), 'stopping.sweeping', 'absent.resting'],
  ['launching.queued', 'KILL', ({ send }) => send({ type: 'KILL' }), 'stopping.sweeping', 'absent.resting'],
  ['launching.queued', 'RESTART', ({ send }) => send({ type: 'RESTART' }), 'stopping.sweeping', 'absent.checking'],
  ['launching.running', 'STOP', ({ send }) => send({ type: 'STOP' }), 'stopping.terminating', 'absent.resting'],
  [
    'launching.running',
    'its failing to run',
    ({ process }) => process.failed(),
    'stopping.terminating',
    'crashed.waiting',
  ],
  [
    'launching.running',
    'its deadline',
    ({ clock }) => clock.advance(60_000),
    'stopping.terminating',
    'crashed.waiting',
  ],
  ['probing', 'STOP', ({ send }) => send({ type: 'STOP' }), 'stopping.closing', 'absent.resting'],
  ['probing', 'KILL', ({ send }) => send({ type: 'KILL' }), 'stopping.killing', 'absent.resting'],
  ['probing', 'its exit', ({ process }) => process.exit(1), 'stopping.terminating', 'crashed.waiting'],
  ['probing', 'its deadline', ({ clock }) => clock.advance(60_000), 'stopping.closing', 'crashed.waiting'],
  ['probing', 'a failed probe', ({ probe }) => probe.fail(), 'stopping.closing', 'crashed.waiting'],
  [
    'probing',
    'a relaunch',
    ({ probe }) => probe.fail(undefined, { era: 'modern' }),
    'stopping.closing',
    'launching.queued',
  ],
  ['ready', 'STOP', ({ send }) => send({ type: 'STOP' }), 'stopping.draining', 'absent.resting'],
  ['ready', 'REMOVE', ({ send }) => send({ type: 'REMOVE' }), 'stopping.draining', 'absent.resting'],
  ['ready', 'RESTART', ({ send }) => send({ type: 'RESTART' }), 'stopping.draining', 'absent.checking'],
  ['ready', 'KILL', ({ send }) => send({ type: 'KILL' }), 'stopping.killing', 'absent.resting'],
  ['ready', 'its exit', ({ process }) => process.exit(0), 'stopping.terminating', 'crashed.waiting'],
  [
    'ready',
    'a broken connection',
    ({ send }) => send({ type: 'session.closed', generation: 1, failure: disconnected }),
    'stopping.closing',
    'crashed.waiting',
  ],
  ['idle', 'STOP', ({ send }) => send({ type: 'STOP' }), 'stopping.closing', 'absent.resting'],
  ['idle', 'its idle time', ({ clock }) => clock.advance(300_000), 'stopping.closing', 'absent.resting'],
  ['idle', 'its clean exit', ({ process }) => process.exit(0), 'stopping.terminating', 'absent.resting'],
  ['idle', 'its crash', ({ process }) => process.exit(1), 'stopping.terminating', 'crashed.waiting'],
];

describe('every way out of alive goes through stopping and waits for the empty group:', () => {
  test.each(WAYS)('%s by %s', async (from, _, by, first, end) => {
    const plugin = await reach(createPlugin(), from);
    by(plugin);
    expect(plugin.state()).toBe(first);
    expect(plugin.entered().at(-1)).toBe('stopping');
    plugin.process.empty();
    expect(plugin.state()).toBe(end);
  });
});

describe('the escalation', () => {
  test('asks by end of input, then by TERM, KILL, the sweep, each at its very millisecond', async () => {
    const plugin = await reach(createPlugin(), 'idle');
    plugin.send({ type: 'STOP' });
    const steps: [string, number][] = [
      ['stopping.closing', defaultTiming.inputClose],
      ['stopping.terminating', defaultTiming.terminate],
      ['stopping.killing', defaultTiming.kill],
    ];
    for (const [state, grace] of steps) {
      plugin.clock.advance(grace - 1);
      expect(plugin.state()).toBe(state);
      plugin.clock.advance(1);
    }
    expect(plugin.state()).toBe('stopping.sweeping');
    expect(plugin.process.commands).toEqual(['spawn', 'input.close', 'signal', 'signal', 'sweep']);
    plugin.clock.advance(defaultTiming.sweep - 1);
    expect(plugin.process.commands).toHaveLength(5);
    plugin.clock.advance(1);
    expect(plugin.process.commands.at(-1)).toBe('abandon');
    expect(plugin.state()).toBe('stopping.sweeping');
    plugin.process.empty();
    expect(plugin.state()).toBe('absent.resting');
  });

  test('sends no signal to a program that ends at the end of its input', async () => {
    const plugin = await reach(createPlugin(), 'idle');
    plugin.send({ type: 'STOP' });
    const { commands } = plugin.process;
    plugin.process.empty();
    expect(commands).toEqual(['spawn', 'input.close']);
  });

  test('skips the end of input where the transport has none', async () => {
    const plugin = await reach(createPlugin(), 'probing');
    plugin.probe.ready({ transport: 'streamable-http', port: 4000 });
    plugin.send({ type: 'calls.quiet', generation: 1 });
    plugin.send({ type: 'STOP' });
    expect(plugin.state()).toBe('stopping.terminating');
  });

  test('waits for calls in flight, but not for ever', async () => {
    const plugin = await reach(createPlugin(), 'ready');
    plugin.send({ type: 'STOP' });
    plugin.clock.advance(defaultTiming.drain - 1);
    expect(plugin.state()).toBe('stopping.draining');
    plugin.clock.advance(1);
    expect(plugin.state()).toBe('stopping.closing');
  });

  test('goes on as soon as the last call is done', async () => {
    const plugin = await reach(createPlugin(), 'ready');
    plugin.send({ type: 'STOP' });
    plugin.send({ type: 'calls.drained', generation: 1 });
    expect(plugin.state()).toBe('stopping.closing');
  });

  test('goes on to the rest of the group when the program ends while calls drain', async () => {
    const plugin = await reach(createPlugin(), 'ready');
    plugin.send({ type: 'STOP' });
    plugin.process.exit(0);
    expect(plugin.state()).toBe('stopping.terminating');
  });

  test('hears of a program that was spawned, or could not be, after the STOP', async () => {
    const late = await reach(createPlugin(), 'launching.running');
    late.send({ type: 'STOP' });
    late.process.spawned(77);
    expect(late.context()).toMatchObject({ leader: 'alive', pid: 77 });
    const never = await reach(createPlugin(), 'launching.running');
    never.send({ type: 'STOP' });
    never.process.failed();
    expect(never.context()).toMatchObject({ leader: 'gone', pid: null });
    never.process.empty();
    expect(never.state()).toBe('absent.resting');
  });

  test.each(['draining', 'closing', 'terminating'])('KILL in stopping.%s skips every grace', async (leaf) => {
    const plugin = await reach(createPlugin(), `stopping.${leaf}`);
    plugin.send({ type: 'KILL' });
    expect(plugin.state()).toBe('stopping.killing');
    plugin.process.empty();
    expect(plugin.state()).toBe('absent.resting');
  });
});

describe('what may change while stopping', () => {
  test('STOP ends a restart, START and RESTART end a stop', async () => {
    const plugin = await reach(createPlugin(), 'stopping.closing');
    expect(plugin.context().outcome).toEqual({ to: 'restart' });
    plugin.send({ type: 'STOP' });
    expect(plugin.context().outcome).toEqual({ to: 'absent' });
    plugin.send({ type: 'START' });
    expect(plugin.context()).toMatchObject({ outcome: { to: 'restart' }, stopped: false });
    plugin.process.empty();
    expect(plugin.state()).toBe('absent.checking');
  });

  test('a STOP ends a relaunch, a START leaves it', async () => {
    const relaunching = async () => {
      const plugin = await reach(createPlugin(), 'probing');
      plugin.probe.fail(undefined, { era: 'modern' });
      return plugin;
    };
    const kept = await relaunching();
    kept.send({ type: 'START' });
    kept.process.empty();
    expect(kept.state()).toBe('launching.queued');
    const ended = await relaunching();
    ended.send({ type: 'STOP' });
    ended.process.empty();
    expect(ended.state()).toBe('absent.resting');
  });

  test('a REMOVE ends a restart', async () => {
    const plugin = await reach(createPlugin(), 'stopping.closing');
    plugin.send({ type: 'REMOVE' });
    plugin.process.empty();
    expect(plugin.state()).toBe('absent.resting');
    expect(plugin.reports.at(-1)?.type).toBe('stop.done');
  });

  test('nothing starts a plugin that is being removed', async () => {
    const plugin = await reach(createPlugin(), 'ready');
    plugin.send({ type: 'REMOVE' });
    plugin.send({ type: 'START' });
    plugin.send({ type: 'RESTART' });
    plugin.process.empty();
    expect(plugin.state()).toBe('absent.resting');
    plugin.send({ type: 'START' });
    expect(plugin.state()).toBe('absent.resting');
  });
});

describe('an end says why:', () => {
  test('a program that ends while in service', async () => {
    const plugin = await reach(createPlugin(), 'ready');
    plugin.process.exit({ signal: 'SIGKILL' }, { stderrTail: ['last words'] });
    plugin.process.empty();
    expect(plugin.context().failure).toMatchObject({
      code: 'RUN_EXITED',
      generation: 1,
      exit: { code: null, signal: 'SIGKILL' },
      stderrTail: ['last words'],
    });
    expect(plugin.reports.at(-1)).toMatchObject({
      type: 'plugin.entered',
      state: 'crashed',
      failure: { code: 'RUN_EXITED' },
    });
  });

  test('stopping reports its failure too, so that calls in flight can be told', async () => {
    const plugin = await reach(createPlugin(), 'ready');
    plugin.process.exit(3);
    expect(plugin.reports.at(-1)).toMatchObject({ state: 'stopping', failure: { code: 'RUN_EXITED' } });
  });

  test('a connection that breaks just before the program ends was its end', async () => {
    const plugin = await reach(createPlugin(), 'ready');
    plugin.send({ type: 'session.closed', generation: 1, failure: disconnected });
    plugin.process.exit({ signal: 'SIGSEGV' });
    plugin.process.empty();
    expect(plugin.context().failure).toMatchObject({ code: 'RUN_EXITED', exit: { signal: 'SIGSEGV' } });
  });

  test('a connection that broke stays the reason when we had to signal', async () => {
    const plugin = await reach(createPlugin(), 'ready');
    plugin.send({ type: 'session.closed', generation: 1, failure: disconnected });
    plugin.clock.advance(defaultTiming.inputClose);
    plugin.process.exit({ signal: 'SIGTERM' }, { stderrTail: ['bye'] });
    plugin.process.empty();
    expect(plugin.context().failure).toMatchObject({ code: 'RUN_DISCONNECTED', stderrTail: ['bye'] });
  });

  test('a start that took too long quotes the last lines, which only the exit brings', async () => {
    const plugin = await reach(createPlugin({ timeouts: { start: 5_000 } }), 'probing');
    plugin.clock.advance(5_000);
    expect(plugin.state()).toBe('stopping.closing');
    plugin.process.exit(0, { stderrTail: ['loading model'] });
    plugin.process.empty();
    expect(plugin.context().failure).toMatchObject({ code: 'PROBE_TIMEOUT', stderrTail: ['loading model'] });
  });

  test('a permanent plugin may not end, even cleanly and idle', async () => {
    const plugin = await reach(createPlugin({ restart: 'permanent' }), 'idle');
    plugin.process.exit(0);
    plugin.process.empty();
    expect(plugin.context().failure).toMatchObject({ code: 'RUN_EXITED' });
  });
});

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

describe('abandoned processes', () => {
  const abandon = async () => {
    const plugin = await reach(createPlugin(), 'stopping.sweeping');
    plugin.process.abandoned([41, 42]);
    return plugin;
  };

  test('park the plugin with their pids', async () => {
    const plugin = await abandon();
    expect(plugin.state()).toBe('crashed.parked');
    expect(plugin.context().failure).toMatchObject({ code: 'STOP_ABANDONED', data: { pids: [41, 42] } });
  });

  test('keep it from absent: STOP and REMOVE are answered where it is, RESET does nothing', async () => {
    for (const type of ['STOP', 'KILL', 'REMOVE', 'RESET'] as const) {
      const plugin = await abandon();
      plugin.send({ type });
      expect(plugin.state()).toBe('crashed.parked');
      expect(plugin.reports.at(-1)?.type).toBe(type === 'RESET' ? 'plugin.entered' : 'stop.done');
    }
  });

  test('refuse a START until survey finds them gone', async () => {
    const plugin = await abandon();
    plugin.send({ type: 'START' });
    expect(plugin.survey.inputs.at(-1)?.abandoned).toEqual([41, 42]);
    plugin.survey.done(sampleSurvey('cloning', { blocked: createFailure('STOP_ABANDONED') }));
    await plugin.settle();
    expect(plugin.state()).toBe('crashed.parked');
    plugin.send({ type: 'START' });
    plugin.survey.done(sampleSurvey('launching'));
    await plugin.settle();
    expect(plugin.state()).toBe('launching.queued');
    expect(plugin.context().abandoned).toEqual([]);
  });

  test.each(['STOP', 'KILL', 'REMOVE'] as const)('make a %s while checking wait for what survey says', async (type) => {
    const gone = await abandon();
    gone.send({ type: 'START' });
    gone.send({ type });
    expect(gone.state()).toBe('absent.checking');
    gone.survey.done(sampleSurvey('launching'));
    await gone.settle();
    expect(gone.state()).toBe('absent.resting');
    expect(gone.reports.at(-1)?.type).toBe('stop.done');
  });
});
