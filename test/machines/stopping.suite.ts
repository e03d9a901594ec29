import { describe, expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import { defaultTiming } from '../../machines/policy.ts';
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
