import { fromPromise, setup } from 'xstate';
import type { SweepActor } from '../contracts.ts';
import type { SupervisorEmitted } from '../events.ts';
import { pluginMachine } from '../plugin.ts';
import { timerDelay } from '../policy.ts';
import { memberOf, type SupervisorContext, type SupervisorInput, type SupervisorMachineEvent } from './context.ts';

const sweepPrefix = 'sweep:';

/** Id of the actor that sweeps up after a plugin's broken one. */
export const sweepActor = (plugin: string): string => `${sweepPrefix}${plugin}`;
export const sweptPlugin = (id: string): string => id.slice(sweepPrefix.length);

/** Types, actors, guards and delays of the supervisor chart; its actions are in `setup.ts`. */
export const supervisorBase = setup({
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
    /** Its actor is being rebuilt: nothing can be sent to it. */
    isBroken: ({ context, event }) => 'plugin' in event && memberOf(context, event.plugin)?.broken != null,
    isReachable: ({ context, event }) => 'plugin' in event && memberOf(context, event.plugin)?.broken === null,
    isRemoving: ({ context, event }) => 'plugin' in event && memberOf(context, event.plugin)?.removing === true,
    /** A crash that nobody asked for. */
    isToDecide: ({ context, event }) =>
      event.type === 'plugin.entered' &&
      event.state === 'crashed' &&
      memberOf(context, event.plugin)?.removing === false,
    isSweep: ({ event }) => 'actorId' in event && event.actorId.startsWith(sweepPrefix),
    isAnswer: ({ context, event }) =>
      'callId' in event && memberOf(context, event.plugin)?.calls.includes(event.callId) === true,
    allAtRest: ({ context }) => Object.values(context.plugins).every(({ atRest }) => atRest),
  },
});
