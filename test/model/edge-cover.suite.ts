/**
 * Every edge of the abstract model, each by the shortest way to its source, walked by the real plugin machine with
 * scripted actors. After each step state, held call and the count of verdicts must agree.
 */

import { expect, test } from 'vitest';
import { fromTransition } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { createFailure } from '../../machines/failure.ts';
import { defaultTiming } from '../../machines/policy.ts';
import { sampleSpec, sampleSurvey } from '../../src/testing/samples.ts';
import { createPlugin, type Plugin } from '../machines/covered.ts';
import { EVENTS, type Event, initialModel, type Model, step, TABLE } from './model.ts';

const FACTS: Record<Event, (plugin: Plugin, callId: () => string) => void> = {
  START: ({ send }) => send({ type: 'START' }),
  STOP: ({ send }) => send({ type: 'STOP' }),
  RESTART: ({ send }) => send({ type: 'RESTART' }),
  RESET: ({ send }) => send({ type: 'RESET' }),
  KILL: ({ send }) => send({ type: 'KILL' }),
  CALL: ({ call }, callId) => call(callId()),
  withdraw: ({ send, context }) => send({ type: 'call.cancelled', callId: context().held[0] ?? 'none' }),
  'nothing stale': ({ survey }) => survey.done(sampleSurvey('launching')),
  'install stale': ({ survey }) => survey.done(sampleSurvey('installing')),
  'all stale': ({ survey }) => survey.done(sampleSurvey('cloning')),
  blocked: ({ survey }) =>
    survey.done(sampleSurvey('cloning', { blocked: createFailure('STOP_ABANDONED', { data: { pids: [7] } }) })),
  granted: ({ send, context }) => send({ type: 'slot.granted', slot: context().slot!.kind }),
  'job done': (plugin) => runningJob(plugin).done(),
  'job failed': (plugin) => runningJob(plugin).fail(),
  'job cancelled': (plugin) => runningJob(plugin).cancel(),
  spawned: ({ process }) => process.spawned(),
  'not spawned': ({ process }) => process.failed(),
  'probe ready': ({ probe }) => probe.ready(),
  'probe failed': ({ probe }) => probe.fail(),
  'probe wants other era': ({ probe }) => probe.fail(undefined, { era: 'modern' }),
  'exit 1': ({ process }) => process.exit(1),
  'exit 0': ({ process }) => process.exit(0),
  healthy: ({ health }) => health.well(),
  unready: ({ health }) => health.unready(),
  unanswered: ({ health }) => health.silent(),
  breached: ({ process, context }) =>
    process.say({ type: 'process.breached', generation: context().generation, failure: createFailure('RUN_LIMIT') }),
  'new policy': (plugin) => update(plugin, false),
  'new spec': (plugin) => update(plugin, true),
  'group empty': ({ process }) => process.empty(),
  'group abandoned': ({ process }) => process.abandoned([7]),
  quiet: ({ send, context }) => send({ type: 'calls.quiet', generation: context().generation }),
  busy: ({ send, context }) => send({ type: 'calls.busy', generation: context().generation }),
  drained: ({ send, context }) => send({ type: 'calls.drained', generation: context().generation }),
  'session closed': ({ send, context }) =>
    send({
      type: 'session.closed',
      generation: context().generation,
      failure: createFailure('RUN_DISCONNECTED'),
    }),
  'time passes': ({ timePasses }) => timePasses(),
  'retry scheduled': ({ send }) => send({ type: 'retry.scheduled', at: 1 }),
  'retry due': ({ send, context }) => send({ type: 'retry.due', generation: context().generation }),
  parked: ({ send }) => send({ type: 'retry.parked', trialAt: 1 }),
  'trial due': ({ send, context }) => send({ type: 'trial.due', generation: context().generation }),
};

const update = ({ send }: Plugin, restarts: boolean) =>
  send({ type: 'UPDATE', spec: sampleSpec(), timing: defaultTiming, restarts });

const runningJob = ({ clone, detect, install }: Plugin) => [clone, detect, install].find(({ running }) => running)!;

/** What can happen at all; one call waits at most. */
function isPossible({ at, held, gone }: Model, event: Event): boolean {
  if (TABLE[at][event] === undefined) return false;
  if (event === 'CALL') return !held;
  if (event === 'withdraw') return held;
  if (event === 'exit 0' || event === 'exit 1') return !gone;
  return true;
}

const logic = fromTransition((model: Model, event: { readonly type: Event }) => step(model, event.type), initialModel);
const options = {
  events: EVENTS.map((type) => ({ type })),
  filterEvents: ({ context }: { context: Model }, { type }: { type: Event }) => isPossible(context, type),
  serializeState: ({ context }: { context: Model }) => JSON.stringify(context) as never,
};

interface Sequence {
  /** Where its last event happens. */
  readonly at: string;
  readonly events: readonly Event[];
}

function edgeCover(): Sequence[] {
  const ways = new Map(
    getShortestPaths(logic, options).map(({ state, steps }) => [
      JSON.stringify(state.context),
      steps.map(({ event }) => event.type).filter((type) => EVENTS.includes(type)),
    ]),
  );
  return Object.values(getAdjacencyMap(logic, options)).flatMap(({ state, transitions }) =>
    Object.values<{ event: { type: Event } }>(transitions).map(({ event }) => {
      const way = ways.get(JSON.stringify(state.context));
      if (way === undefined) throw new Error(`no way to ${JSON.stringify(state.context)}`);
      return { at: state.context.at, events: [...way, event.type] };
    }),
  );
}

/** One line that says all that must agree. */
const expected = ({ at, held, stopped }: Model) => `${at}, ${held ? 1 : 0} held, ${stopped ? 'stopped' : 'open'}`;
const actual = ({ state, context }: Plugin) =>
  `${state()}, ${context().held.length} held, ${context().stopped ? 'stopped' : 'open'}`;

async function walk({ events }: Sequence): Promise<void> {
  const plugin = createPlugin({}, { timing: defaultTiming });
  const calls: string[] = [];
  const withdrawn = new Set<string>();
  const callId = () => {
    calls.push(`c${calls.length}`);
    return calls.at(-1)!;
  };
  let model = initialModel;
  const trace: string[] = [];
  for (const event of events) {
    const waiting = plugin.context().held[0];
    if (event === 'withdraw' && waiting !== undefined) withdrawn.add(waiting);
    FACTS[event](plugin, callId);
    await plugin.settle();
    model = step(model, event);
    trace.push(event);
    expect(actual(plugin), trace.join(' → ')).toBe(expected(model));
    if (model.at.endsWith('cancelling')) expect(runningJob(plugin).cancelled, trace.join(' → ')).toBe(true);
    for (const call of calls) {
      const open = plugin.context().held.includes(call) || withdrawn.has(call);
      expect(plugin.verdicts(call).length, `${call} after ${trace.join(' → ')}`).toBe(open ? 0 : 1);
    }
  }
}

const sequences = edgeCover();

test.each(Object.keys(TABLE))('the machine does in %s what the model does', async (at) => {
  const group = sequences.filter((sequence) => sequence.at === at);
  expect(group, 'the model reaches it').not.toEqual([]);
  for (const sequence of group) await walk(sequence);
});
