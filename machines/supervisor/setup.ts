/** Types, guards and actions of the supervisor chart. Actions only assign, send, spawn and emit: none may throw. */

import { assertEvent, assign, enqueueActions, fromPromise, setup } from 'xstate';
import type { SweepActor } from '../contracts.ts';
import type { PluginCommand, Slot, SupervisorCommand, SupervisorEmitted } from '../events.ts';
import { createFailure } from '../failure.ts';
import { pluginMachine } from '../plugin.ts';
import { decideRestart, noHistory, noteDown, noteLaunch, noteReady, timerDelay } from '../policy.ts';
import { freeSlot, type Served, wantSlot } from '../slots.ts';
import {
  type Member,
  memberOf,
  newMember,
  pastOf,
  type SupervisorContext,
  type SupervisorInput,
  type SupervisorMachineEvent,
  withMember,
} from './context.ts';

const sweepPrefix = 'sweep:';
const retryTimer = (plugin: string) => `retry:${plugin}`;
const launchTimer = (plugin: string) => `launch:${plugin}`;

/** The plugin whose actor an `xstate.done.actor.*` or `xstate.error.actor.*` is about. */
const subject = (actorId: string): string =>
  actorId.startsWith(sweepPrefix) ? actorId.slice(sweepPrefix.length) : actorId;

const closed = () => createFailure('INTERNAL_CLOSED');

const base = setup({
  types: {} as {
    context: SupervisorContext;
    events: SupervisorMachineEvent;
    input: SupervisorInput;
    emitted: SupervisorEmitted;
  },
  actors: {
    plugin: pluginMachine,
    sweep: fromPromise(() => {
      throw new Error('actor "sweep" was not provided');
    }) as SweepActor,
  },
  delays: { close: ({ context }) => timerDelay(context.timing.close) },
  guards: {
    isNew: ({ context, event }) => event.type === 'ADD' && memberOf(context, event.plugin) === undefined,
    isKnown: ({ context, event }) => 'plugin' in event && memberOf(context, event.plugin) !== undefined,
    /** Its actor is being rebuilt: nothing can be sent to it. */
    isBroken: ({ context, event }) => 'plugin' in event && memberOf(context, event.plugin)?.broken != null,
    isRemoving: ({ context, event }) => 'plugin' in event && memberOf(context, event.plugin)?.removing === true,
    isSweep: ({ event }) => 'actorId' in event && event.actorId.startsWith(sweepPrefix),
    allAtRest: ({ context }) => Object.values(context.plugins).every(({ atRest }) => atRest),
    hasCrashed: ({ event }) => event.type === 'plugin.entered' && event.state === 'crashed',
  },
});

/** What several actions enqueue. */
type Enqueue = Parameters<Parameters<typeof base.enqueueActions>[0]>[0]['enqueue'];

const send = (enqueue: Enqueue, plugin: string, event: PluginCommand | Parameters<typeof pluginMachine.transition>[1]) =>
  enqueue.sendTo(plugin, event);

function grant(enqueue: Enqueue, context: SupervisorContext, slot: Slot, { queue, granted }: Served): void {
  enqueue.assign({ queues: { ...context.queues, [slot]: queue } });
  for (const plugin of granted) {
    enqueue.sendTo(plugin, { type: 'slot.granted', slot });
    if (slot === 'launch') {
      const delay = timerDelay(context.timing.launchSlot);
      enqueue.raise({ type: 'launch.expired', plugin }, { id: launchTimer(plugin), delay });
    }
  }
}

export { assertEvent, assign, closed, createFailure, decideRestart, enqueueActions, freeSlot, grant, newMember, noHistory, noteDown, noteLaunch, noteReady, pastOf, retryTimer, send, subject, wantSlot, withMember };
export type { Member, SupervisorCommand };
