/** The plugin chart's actions; the states use them by name. A throw in one is a bug that its supervisor isolates. */

import { assertEvent, assign, cancel, enqueueActions, raise, sendParent } from 'xstate';
import { completeAttempt } from '../attempts.ts';
import type { Health } from '../contracts.ts';
import type { PluginReport, Slot } from '../events.ts';
import { createFailure, type Failure, type FailureCode } from '../failure.ts';
import type { PluginState } from '../states.ts';
import { healthIn, isDeaf, pluginBase } from './base.ts';
import { type PluginContext, timingOf, wellHealth } from './context.ts';
import { afterExit, afterFailedReinstall, endEarly, endLate, endRun, failedJob } from './outcomes.ts';

/** Why a CALL that no state takes is rejected. */
function refusal(context: PluginContext): Failure {
  const { removed, held, bounds, failure, plugin } = context;
  if (removed) return createFailure('CALL_STOPPED', { message: `${plugin} is being removed.` });
  if (isDeaf(context)) return createFailure('CALL_STOPPED');
  if (held.length >= bounds.heldCalls) return createFailure('CALL_QUEUE_FULL', { data: { held: held.length } });
  return failure ?? createFailure('INTERNAL_ERROR', { message: 'A call came in a state that takes none.' });
}

/** Names the type: `sendParent` takes any event. */
const report = (made: PluginReport): PluginReport => made;

function entered({ plugin, generation, failure, outcome, health }: PluginContext, state: PluginState): PluginReport {
  const reason = failure ?? (outcome?.to === 'crashed' ? outcome.failure : health.failure);
  return { type: 'plugin.entered', plugin, state, generation, failure: reason };
}

const isBad = (found: Health | null): found is Exclude<Health, { status: 'well' }> =>
  found !== null && found.status !== 'well';

const rejection = ({ plugin }: PluginContext, callId: string, failure: Failure): PluginReport => ({
  type: 'call.rejected',
  plugin,
  callId,
  failure,
});

export const pluginSetup = pluginBase.extend({
  actions: {
    report: sendParent(
      ({ context }: { context: PluginContext }, { state }: { state: PluginState }): PluginReport =>
        entered(context, state),
    ),
    /** In service: by whether it is used. */
    reportUse: sendParent(
      ({ context }: { context: PluginContext }): PluginReport => entered(context, context.busy ? 'ready' : 'idle'),
    ),
    acknowledge: enqueueActions(({ context, enqueue }) => {
      if (context.stopped) enqueue.sendParent(report({ type: 'stop.done', plugin: context.plugin }));
    }),

    // ---- calls ----
    hold: assign(({ context, event }) => {
      assertEvent(event, 'CALL');
      return { held: [...context.held, event.callId] };
    }),
    withdraw: assign(({ context, event }) => {
      assertEvent(event, 'call.cancelled');
      return { held: context.held.filter((callId) => callId !== event.callId) };
    }),
    admit: enqueueActions(({ context: { plugin, generation }, event, enqueue }) => {
      assertEvent(event, 'CALL');
      enqueue.sendParent(report({ type: 'call.admitted', plugin, callId: event.callId, generation }));
    }),
    admitHeld: enqueueActions(({ context: { plugin, generation, held }, enqueue }) => {
      enqueue.assign({ held: [] });
      for (const callId of held) enqueue.sendParent(report({ type: 'call.admitted', plugin, callId, generation }));
    }),
    reject: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'CALL');
      enqueue.sendParent(report(rejection(context, event.callId, refusal(context))));
    }),
    rejectHeld: enqueueActions(({ context, enqueue }) => {
      enqueue.assign({ held: [] });
      for (const callId of context.held)
        enqueue.sendParent(report(rejection(context, callId, refusal({ ...context, held: [] }))));
    }),

    // ---- commands ----
    /** STOP, KILL, REMOVE: calls no longer start it. */
    refuseCalls: assign(({ context, event }) => ({
      stopped: true,
      removed: context.removed || event.type === 'REMOVE',
    })),
    allowCalls: assign({ stopped: false }),
    endAbsent: assign({ outcome: { to: 'absent' } }),
    endRestart: assign({ outcome: { to: 'restart' } }),
    rest: assign(({ context }) => ({
      outcome: null,
      stopped: context.stopped || context.spec.activation === 'manual',
    })),

    /** At rest it is `manual` that keeps calls from starting it, besides an operator's STOP. */
    followActivation: assign(({ context: { spec, stopped }, event }) => {
      assertEvent(event, 'UPDATE');
      const isManual = event.spec.activation === 'manual';
      return { stopped: isManual || (stopped && spec.activation !== 'manual') };
    }),
    takeSpec: assign(({ event }) => {
      assertEvent(event, 'UPDATE');
      const { spec, timing } = event;
      return { spec, timing: timingOf(timing, spec) };
    }),

    // ---- slots ----
    /** Asks (again, when a call makes it urgent) unless it is owned already. */
    wantSlot: enqueueActions(({ context, enqueue }, { slot }: { slot: Slot }) => {
      const { plugin, held } = context;
      if (context.slot?.kind === slot && context.slot.granted) return;
      enqueue.assign({ slot: { kind: slot, granted: false } });
      enqueue.sendParent(report({ type: 'slot.wanted', plugin, slot, urgent: held.length > 0 }));
    }),
    takeSlot: assign(({ context }) => ({ slot: context.slot && { ...context.slot, granted: true } })),
    freeSlot: enqueueActions(({ context: { plugin, slot }, enqueue }) => {
      if (slot === null) return;
      enqueue.assign({ slot: null });
      enqueue.sendParent(report({ type: 'slot.freed', plugin, slot: slot.kind }));
    }),

    // ---- jobs ----
    keepResult: assign(({ context: { attempt, relaunches }, event }) => {
      assertEvent(event, 'job.ended');
      if (event.result.status !== 'done') return {};
      switch (event.job) {
        case 'clone':
          return { checkout: event.result.value };
        case 'detect':
          return { plan: event.result.value };
        case 'install': {
          const environment = event.result.value;
          // Its resolved plan says more than survey could know; a relaunch has chosen its attempt already.
          if (attempt === null || relaunches > 0) return { environment };
          return { environment, attempt: completeAttempt(attempt, environment.plan) };
        }
      }
    }),
    endFailedJob: assign(({ context, event }) => {
      assertEvent(event, 'job.ended');
      const failure =
        event.result.status === 'failed'
          ? event.result.failure
          : createFailure('INTERNAL_ERROR', {
              message: `The ${event.job} job ended as ${event.result.status} unasked.`,
            });
      return { outcome: failedJob(context, failure) };
    }),
    endFailedReinstall: assign(({ context }) => {
      const attempt = afterFailedReinstall(context);
      return { outcome: attempt && { to: 'relaunch' as const, attempt } };
    }),
    endLateJob: assign(({ context }, { code }: { code: FailureCode }) => ({
      outcome: { to: 'crashed' as const, failure: createFailure(code, { generation: context.generation || null }) },
    })),

    // ---- the process ----
    beginGeneration: assign(({ context }) => ({
      generation: context.generation + 1,
      leader: 'none' as const,
      pid: null,
      service: null,
      listening: false,
      health: wellHealth,
      busy: false,
      outcome: null,
    })),
    startClock: raise(({ context }) => ({ type: 'start.deadline' as const, generation: context.generation }), {
      id: 'start',
      delay: 'start',
    }),
    stopClock: cancel('start'),
    noteSpawning: assign({ leader: 'spawning' }),
    noteSpawned: assign(({ event }) => {
      assertEvent(event, 'process.spawned');
      return { leader: 'alive' as const, pid: event.pid };
    }),
    noteListening: assign({ listening: true }),
    noteReady: assign(({ event }) => {
      assertEvent(event, 'probe.ready');
      const { type: _, generation: __, ...service } = event;
      return { service, relaunches: 0, tried: [] };
    }),
    noteWell: assign({ health: wellHealth }),
    /** An answer, if not a good one: it ends the row of silences. */
    noteUnready: assign(({ context: { generation }, event }) => {
      const found = healthIn(event);
      return { health: { failures: 0, failure: isBad(found) ? { ...found.failure, generation } : null } };
    }),
    noteSilence: assign(({ context: { health, generation, timing }, event }) => {
      const found = healthIn(event);
      const message = `The program runs, but it did not answer a health check within ${timing.healthCheck / 1000} s.`;
      // What a call that failed in the same way would be told to do is no help here.
      const { hint: _, ...told } = isBad(found) ? found.failure : { message, hint: '' };
      const failure = createFailure('RUN_UNRESPONSIVE', { ...told, generation });
      return { health: { failures: health.failures + 1, failure } };
    }),
    noteGone: assign({ leader: 'gone', pid: null }),
    setBusy: assign({ busy: true }),
    setQuiet: assign({ busy: false }),
    endEarly: assign(({ context, event }) => {
      assertEvent(event, ['process.exited', 'process.failed', 'probe.failed']);
      return endEarly(context, event);
    }),
    endLate: assign(({ context }) => endLate(context)),
    endRun: assign(({ context, event }) => {
      assertEvent(event, 'process.exited');
      return { outcome: endRun(context, event) };
    }),
    endUnresponsive: assign(({ context: { health } }) => {
      const failure = createFailure('RUN_UNRESPONSIVE', {
        ...(health.failure ?? {}),
        message: `The program runs, but ${health.failures} health checks in a row were not answered.`,
        ...(health.failure && { data: { lastCheck: health.failure.message } }),
      });
      return { outcome: { to: 'crashed' as const, failure } };
    }),
    endBreached: assign(({ event }) => {
      assertEvent(event, 'process.breached');
      return { outcome: { to: 'crashed' as const, failure: event.failure } };
    }),
    endDisconnected: assign(({ event }) => {
      assertEvent(event, 'session.closed');
      return { outcome: { to: 'crashed' as const, failure: event.failure } };
    }),
    /** What its exit tells about an outcome that was decided before. */
    weighExit: assign(({ context, event }, { signalled }: { signalled: boolean }) => {
      assertEvent(event, 'process.exited');
      return { outcome: afterExit(context, event, signalled) };
    }),
    takeAttempt: assign(({ context: { outcome, attempt, relaunches } }) => ({
      attempt: outcome?.to === 'relaunch' ? outcome.attempt : attempt,
      outcome: null,
      relaunches: relaunches + 1,
    })),
    endAbandoned: assign(({ context, event }) => {
      assertEvent(event, 'group.abandoned');
      const failure = createFailure('STOP_ABANDONED', {
        message: `Processes of ${context.plugin} outlived SIGKILL: ${event.pids.join(', ')}.`,
        generation: event.generation,
        data: { pids: event.pids },
      });
      return { abandoned: event.pids, outcome: { to: 'crashed' as const, failure } };
    }),

    // ---- crashed ----
    takeFailure: assign(({ context: { outcome, failure } }) => ({
      failure: outcome?.to === 'crashed' ? outcome.failure : failure,
      outcome: null,
    })),
    forgetFailure: assign({ failure: null, retryAt: null, trialAt: null, trialOpen: false }),
    noteRetry: assign(({ event }) => {
      assertEvent(event, 'retry.scheduled');
      return { retryAt: event.at };
    }),
    noteTrial: assign(({ event }) => {
      assertEvent(event, 'retry.parked');
      return { trialAt: event.trialAt, retryAt: null };
    }),
    openTrial: assign({ trialOpen: true }),
  },
});
