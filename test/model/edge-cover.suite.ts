/**
 * Every edge of the abstract model, each by the shortest way to its source, walked by the real plugin machine with
 * scripted actors. After each step state, held call and the count of verdicts must agree.
 */

import { fromTransition } from 'xstate';
import { getAdjacencyMap, getShortestPaths } from 'xstate/graph';
import { expect, test } from 'vitest';
import { createFailure } from '../../machines/failure.ts';
import { sampleSurvey } from '../../src/testing/samples.ts';
import { createPlugin, type Plugin } from '../machines/covered.ts';
import { type At, EVENTS, type Event, initialModel, type Model, step, TABLE } from './model.ts';

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
  'group empty': ({ process }) => process.empty(),
  'group abandoned': ({ process }) => process.abandoned([7]),
  quiet: ({ send, context }) => send({ type: 'calls.quiet', generation: context().generation }),
  busy: ({ send, context }) => send({ type: 'calls.busy', generation: context().generation }),
  drained: ({ send, context }) => send({ type: 'calls.drained', generation: context().generation }),
  'session closed': ({ send, context: { generation } = { generation: 0 } as never, ...plugin }) =>
    send({
      type: 'session.closed',
      generation: plugin.snapshot().context.generation ?? generation,
      failure: createFailure('RUN_DISCONNECTED'),
    }),
  'time passes': ({ timePasses }) => timePasses(),
  'retry scheduled': ({ send }) => send({ type: 'retry.scheduled', at: 1 }),
  'retry due': ({ send, context }) => send({ type: 'retry.due', generation: context().generation }),
  parked: ({ send }) => send({ type: 'retry.parked', trialAt: 1 }),
  'trial due': ({ send, context }) => send({ type: 'trial.due', generation: context().generation }),
};
