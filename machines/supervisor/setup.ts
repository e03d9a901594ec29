/** The supervisor's actions. They only assign, send, spawn and emit; none may throw, since nobody supervises it. */

import { type AnyActorRef, type AnyMachineSnapshot, assertEvent, enqueueActions } from 'xstate';
import type { PluginReport, SupervisorCommand, SupervisorEmitted } from '../events.ts';
import { createFailure, type Failure } from '../failure.ts';
import { noHistory, noteDown, noteLaunch, noteReady, type RestartHistory } from '../policy.ts';
import { wantSlot } from '../slots.ts';
import { supervisorBase, sweepActor, sweptPlugin } from './base.ts';
import { type Member, memberOf, newMember, type Past, pastOf, type SupervisorContext, withMember } from './context.ts';
import { enqueueFreed, enqueueQueues, enqueueRestart, enqueueWaiting, pluginInput, retryTimer } from './enqueue.ts';

type Entered = Extract<PluginReport, { type: 'plugin.entered' }>;

function historyAfter(history: RestartHistory, { state }: Entered, now: number): RestartHistory {
  switch (state) {
    case 'launching':
      return noteLaunch(history);
    case 'ready':
      return noteReady(history, now);
    case 'stopping':
      return noteDown(history, now);
    default:
      return history;
  }
}

function pastAfter(past: Past, { state, generation, failure }: Entered): Past {
  const left = failure?.code === 'STOP_ABANDONED' && Array.isArray(failure.data.pids) ? failure.data.pids : null;
  // A launch means that survey found them gone.
  return {
    generation: Math.max(past.generation, generation),
    abandoned: left ?? (state === 'launching' ? [] : past.abandoned),
  };
}

const rejection = (plugin: string, callId: string, failure: Failure): SupervisorEmitted => ({
  type: 'call.rejected',
  plugin,
  callId,
  failure,
});

const without = <Value>(record: Readonly<Record<string, Value>>, key: string): Record<string, Value> =>
  Object.fromEntries(Object.entries(record).filter(([name]) => name !== key));

/** Last started first. */
const inStopOrder = ({ plugins }: SupervisorContext): [string, Member][] =>
  Object.entries(plugins).sort(([, a], [, b]) => b.launched - a.launched);

function orphansOf(supervisor: AnyActorRef, plugin: string): AnyActorRef[] {
  const broken: AnyMachineSnapshot | undefined = supervisor.getSnapshot().children[plugin]?.getSnapshot();
  return Object.values(broken?.children ?? {});
}

const isCallOf =
  (callId: string) =>
  (command: SupervisorCommand): boolean =>
    command.type === 'CALL' && command.callId === callId;

export const supervisorSetup = supervisorBase.extend({
  actions: {
    // ---- commands ----
    add: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'ADD');
      const { plugin, spec } = event;
      const added = { ...context, plugins: { ...context.plugins, [plugin]: newMember(spec) } };
      enqueue.assign({ plugins: added.plugins });
      enqueue.spawnChild('plugin', { id: plugin, input: pluginInput(added, plugin) });
      if (spec.activation === 'eager') enqueue.sendTo(plugin, { type: 'START' });
    }),
    /** Whoever commands a plugin overrules what the restart policy had planned. */
    command: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['START', 'STOP', 'RESTART', 'REMOVE', 'RESET']);
      const { plugin, type } = event;
      const forgives = type !== 'STOP' && type !== 'REMOVE';
      enqueue.cancel(retryTimer(plugin));
      enqueue.assign(
        withMember(context, plugin, ({ history, removing, stopped }) => ({
          history: forgives ? { ...noHistory, readyAt: history.readyAt } : history,
          removing: removing || type === 'REMOVE',
          stopped: type === 'STOP' || (stopped && type === 'RESET'),
        })),
      );
      enqueue.sendTo(plugin, { type });
    }),
    /** What the restart policy had planned belongs to the spec of before. */
    update: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'UPDATE');
      const { plugin, spec, restarts } = event;
      const member = memberOf(context, plugin);
      const begins = spec.activation === 'eager' && (restarts || member?.spec.activation !== 'eager');
      if (restarts) enqueue.cancel(retryTimer(plugin));
      enqueue.assign(
        withMember(context, plugin, ({ history }) => ({
          spec,
          history: restarts ? { ...noHistory, readyAt: history.readyAt } : history,
        })),
      );
      enqueue.sendTo(plugin, { type: 'UPDATE', spec, timing: context.timing, restarts });
      if (begins && member?.stopped === false) enqueue.sendTo(plugin, { type: 'START' });
    }),
    call: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'CALL');
      const { plugin, callId } = event;
      enqueue.assign(withMember(context, plugin, ({ calls }) => ({ calls: [...calls, callId] })));
      enqueue.sendTo(plugin, { type: 'CALL', callId });
    }),
    /** Nobody waits for a withdrawn call any more. */
    forgetWithdrawn: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'traffic');
      if (event.event.type !== 'call.cancelled') return;
      const { callId } = event.event;
      enqueue.assign(
        withMember(context, event.plugin, ({ calls, deferred }) => ({
          calls: calls.filter((id) => id !== callId),
          deferred: deferred.filter((command) => !isCallOf(callId)(command)),
        })),
      );
    }),
    passTraffic: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'traffic');
      enqueue.sendTo(event.plugin, event.event);
    }),
    rejectUnknown: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'CALL');
      const failure = createFailure('CONFIG_UNKNOWN_PLUGIN', { message: `There is no plugin "${event.plugin}".` });
      enqueue.emit(rejection(event.plugin, event.callId, failure));
    }),
    rejectClosed: enqueueActions(({ event, enqueue }) => {
      assertEvent(event, 'CALL');
      enqueue.emit(rejection(event.plugin, event.callId, createFailure('INTERNAL_CLOSED')));
    }),
    /** Until its actor is rebuilt. */
    defer: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['START', 'STOP', 'RESTART', 'REMOVE', 'RESET', 'UPDATE', 'CALL']);
      enqueue.assign(withMember(context, event.plugin, ({ deferred }) => ({ deferred: [...deferred, event] })));
    }),

    // ---- reports ----
    noteEntered: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'plugin.entered');
      const { plugin, state } = event;
      const launches = context.launches + (state === 'launching' ? 1 : 0);
      // A start that is called off while surveying comes back to absent without having left it for anyone else.
      if (!(state === 'absent' && memberOf(context, plugin)?.state === 'absent')) enqueue.emit(event);
      enqueue.assign({
        ...withMember(context, plugin, ({ history, launched }) => ({
          state,
          history: historyAfter(history, event, context.now()),
          launched: state === 'launching' ? launches : launched,
        })),
        past: { ...context.past, [plugin]: pastAfter(pastOf(context, plugin), event) },
        launches,
      });
    }),
    /** At rest nothing is held, whatever its own reports say. */
    freeAtRest: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'plugin.entered');
      if (event.state === 'absent' || event.state === 'crashed') enqueueFreed(enqueue, context, event.plugin);
    }),
    decide: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'plugin.entered');
      if (event.failure !== null) enqueueRestart(enqueue, context, event.plugin, event.failure);
    }),
    answer: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, ['call.admitted', 'call.rejected']);
      const { plugin, callId } = event;
      enqueue.assign(withMember(context, plugin, ({ calls }) => ({ calls: calls.filter((id) => id !== callId) })));
      enqueue.emit(event);
    }),
    enqueueSlot: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'slot.wanted');
      enqueueQueues(enqueue, context, (queue, slot, budget) =>
        slot === event.slot ? wantSlot(queue, event.plugin, event.urgent, budget) : { queue, granted: [] },
      );
    }),
    freeSlot: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'slot.freed');
      enqueueFreed(enqueue, context, event.plugin, [event.slot]);
    }),
    freeLaunch: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'launch.expired');
      enqueueFreed(enqueue, context, event.plugin, ['launch']);
    }),
    serveWaiting: enqueueActions(({ context, enqueue }) => enqueueWaiting(enqueue, context)),
    retry: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'retry.elapsed');
      const { plugin, generation, purpose } = event;
      const waitsForCall = purpose === 'trial' && memberOf(context, plugin)?.spec.restart !== 'permanent';
      enqueue.sendTo(plugin, { type: waitsForCall ? 'trial.due' : 'retry.due', generation });
    }),

    // ---- ends ----
    remove: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'stop.done');
      const { plugin } = event;
      enqueueFreed(enqueue, context, plugin);
      enqueue.stopChild(plugin);
      // Its verdict on a call that came right behind the REMOVE is still on its way, and would find nobody.
      const gone = createFailure('CALL_STOPPED', { message: `${plugin} was removed.` });
      for (const callId of memberOf(context, plugin)?.calls ?? []) enqueue.emit(rejection(plugin, callId, gone));
      enqueue.assign({ plugins: without(context.plugins, plugin) });
      enqueue.emit({ type: 'plugin.removed', plugin });
    }),
    noteAtRest: enqueueActions(({ context, event, enqueue }) => {
      assertEvent(event, 'stop.done');
      enqueue.assign(withMember(context, event.plugin, () => ({ atRest: true })));
    }),
    stopAll: enqueueActions(({ context, enqueue }) => {
      for (const [plugin, { broken, deferred }] of inStopOrder(context)) {
        enqueue.cancel(retryTimer(plugin));
        if (broken === null) enqueue.sendTo(plugin, { type: 'STOP' });
        for (const command of deferred) {
          if (command.type === 'CALL')
            enqueue.emit(rejection(plugin, command.callId, createFailure('INTERNAL_CLOSED')));
        }
        enqueue.assign(({ context: current }) => withMember(current, plugin, () => ({ deferred: [] })));
      }
    }),
    killAll: enqueueActions(({ context, enqueue }) => {
      for (const [plugin, { broken, atRest }] of inStopOrder(context)) {
        if (broken === null && !atRest) enqueue.sendTo(plugin, { type: 'KILL' });
      }
    }),

    // ---- a broken actor: a bug of ours, kept to its own plugin ----
    sweep: enqueueActions(({ context, event, enqueue, self }) => {
      if (!('actorId' in event && 'error' in event)) return;
      const plugin = event.actorId;
      const member = memberOf(context, plugin);
      if (member === undefined) return;
      const { generation } = pastOf(context, plugin);
      const reason = event.error instanceof Error ? event.error.message : String(event.error);
      const broken = createFailure('INTERNAL_ERROR', {
        message: `The actor of ${plugin} broke: ${reason}`,
        generation,
      });
      enqueue.cancel(retryTimer(plugin));
      enqueueFreed(enqueue, context, plugin);
      // XState leaves the children of an actor that threw running, with nobody to hear them (5.33, "orphaned active actors").
      for (const orphan of orphansOf(self, plugin)) enqueue.sendTo(orphan, { type: 'xstate.stop' });
      enqueue.stopChild(plugin);
      enqueue.spawnChild('sweep', { id: sweepActor(plugin), input: { plugin } });
      enqueue.assign(
        withMember(context, plugin, ({ removing }) => ({
          broken,
          deferred: removing ? [{ type: 'REMOVE', plugin }] : [],
        })),
      );
      enqueue.emit({ type: 'plugin.entered', plugin, state: 'crashed', generation, failure: broken });
    }),
    /** Nothing of it runs any more: the calls that it took down are answered. */
    rejectLost: enqueueActions(({ context, event, enqueue }) => {
      if (!('actorId' in event)) return;
      const plugin = sweptPlugin(event.actorId);
      const member = memberOf(context, plugin);
      enqueue.stopChild(event.actorId);
      if (!member?.broken) return;
      for (const callId of member.calls) enqueue.emit(rejection(plugin, callId, member.broken));
      enqueue.assign(withMember(context, plugin, () => ({ calls: [], atRest: true })));
    }),
    rebuild: enqueueActions(({ context, event, enqueue }) => {
      if (!('actorId' in event)) return;
      const plugin = sweptPlugin(event.actorId);
      const member = memberOf(context, plugin);
      if (!member?.broken) return;
      enqueue.assign(withMember(context, plugin, () => ({ broken: null, deferred: [], atRest: false, state: null })));
      enqueue.spawnChild('plugin', { id: plugin, input: pluginInput(context, plugin) });
      // After a sweep that failed something may live still: then only a command or a call starts it.
      const swept = !('error' in event);
      if (member.stopped) enqueue.sendTo(plugin, { type: 'STOP' });
      else if (swept && member.state !== 'absent' && !member.removing) {
        enqueueRestart(enqueue, context, plugin, member.broken);
      }
      for (const command of member.deferred) enqueue.raise(command);
    }),
  },
});
