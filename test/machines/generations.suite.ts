import { describe, expect, test } from 'vitest';
import type { PluginEvent } from '../../machines/events.ts';
import { createFailure } from '../../machines/failure.ts';
import { createPlugin, type Plugin, reach } from './covered.ts';

const exit = { exit: { code: 1, signal: null }, stderrTail: [], cause: null };
const failure = createFailure('RUN_DISCONNECTED');

/** The second generation, in that state. */
async function second(state: string): Promise<Plugin> {
  const plugin = await reach(createPlugin(), 'stopping.closing');
  plugin.process.empty();
  await reach(plugin, state);
  expect(plugin.context().generation).toBe(state.startsWith('absent') ? 1 : 2);
  return plugin;
}

/** Facts of the first generation, each in a state where one of the second would matter. */
const STALE: [state: string, fact: PluginEvent][] = [
  ['launching.running', { type: 'process.spawned', generation: 1, pid: 9 }],
  ['launching.running', { type: 'process.failed', generation: 1, failure }],
  ['probing', { type: 'process.exited', generation: 1, ...exit }],
  ['probing', { type: 'probe.listening', generation: 1, port: 9 }],
  ['probing', { type: 'probe.failed', generation: 1, failure, retry: null }],
  [
    'probing',
    { type: 'probe.ready', generation: 1, transport: 'stdio', era: null, protocolVersion: null, port: null, tools: 0 },
  ],
  ['ready', { type: 'process.exited', generation: 1, ...exit }],
  ['ready', { type: 'session.closed', generation: 1, failure }],
  ['ready', { type: 'calls.quiet', generation: 1 }],
  ['ready', { type: 'group.empty', generation: 1 }],
  ['idle', { type: 'calls.busy', generation: 1 }],
  ['idle', { type: 'process.exited', generation: 1, ...exit }],
  ['idle', { type: 'session.closed', generation: 1, failure }],
  ['stopping.draining', { type: 'calls.drained', generation: 1 }],
  ['stopping.closing', { type: 'process.exited', generation: 1, ...exit }],
  ['stopping.closing', { type: 'group.empty', generation: 1 }],
  ['stopping.terminating', { type: 'process.exited', generation: 1, ...exit }],
  ['stopping.killing', { type: 'group.empty', generation: 1 }],
  ['stopping.sweeping', { type: 'group.empty', generation: 1 }],
  ['stopping.sweeping', { type: 'group.abandoned', generation: 1, pids: [9] }],
  ['crashed.waiting', { type: 'retry.due', generation: 1 }],
  ['crashed.parked', { type: 'retry.due', generation: 1 }],
  ['crashed.parked', { type: 'trial.due', generation: 1 }],
];

describe('a fact of an earlier generation changes nothing:', () => {
  test.each(STALE)('in %s, %o', async (state, fact) => {
    const plugin = await second(state);
    const before = plugin.context();
    const said = plugin.reports.length;
    plugin.send(fact);
    expect(plugin.state()).toBe(state);
    expect(plugin.context()).toEqual(before);
    expect(plugin.reports).toHaveLength(said);
  });
});

test('a start deadline belongs to its own generation', async () => {
  const plugin = await reach(createPlugin(), 'probing');
  plugin.clock.advance(30_000);
  plugin.probe.fail(undefined, { era: 'modern' });
  plugin.process.empty();
  await reach(plugin, 'probing');
  plugin.clock.advance(59_999);
  expect(plugin.state()).toBe('probing');
  plugin.clock.advance(1);
  expect(plugin.state()).toBe('stopping.closing');
});

test('a decision that comes too late to a resting plugin does not start it', async () => {
  const plugin = await reach(createPlugin(), 'crashed.waiting');
  plugin.send({ type: 'STOP' });
  plugin.send({ type: 'retry.due', generation: 1 });
  expect(plugin.state()).toBe('absent.resting');
});

test('each launch counts up from the generation that was given', async () => {
  const plugin = await reach(createPlugin({}, { generation: 41 }), 'launching.queued');
  expect(plugin.context().generation).toBe(42);
  expect(plugin.process.inputs.at(-1)?.generation).toBe(42);
});
