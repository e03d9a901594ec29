import { createSupervisorContext } from './supervisor/context.ts';
import { supervisorSetup } from './supervisor/setup.ts';

const command = [
  { guard: 'isBroken', actions: 'defer' },
  { guard: 'isReachable', actions: 'command' },
] as const;

/** The sweep after a broken actor has ended, well or not: either way nothing more can be done. */
const swept = [{ guard: 'isSweep', actions: ['rejectLost', 'rebuild'] }] as const;

/**
 * Owns the plugin actors: commands and calls go through it, reports come back to it, and what the world should know it
 * emits. Decides about restarts (one for one), rations work, and closes.
 */
export const supervisorMachine = supervisorSetup.createMachine({
  id: 'supervisor',
  // Above any number of commands deferred for one plugin; a circle would else hang the whole program.
  options: { maxIterations: 10_000 },
  context: ({ input }) => createSupervisorContext(input),
  initial: 'running',
  on: {
    'plugin.entered': { actions: ['noteEntered', 'freeAtRest'] },
    'call.admitted': { guard: 'isAnswer', actions: 'answer' },
    'call.rejected': { guard: 'isAnswer', actions: 'answer' },
    'slot.wanted': { guard: 'isReachable', actions: 'enqueueSlot' },
    'slot.freed': { actions: 'freeSlot' },
    'launch.expired': { actions: 'freeLaunch' },
    'spawns.allowed': { actions: 'serveWaiting' },
    traffic: [
      { guard: 'isReachable', actions: ['forgetWithdrawn', 'passTraffic'] },
      { guard: 'isBroken', actions: 'forgetWithdrawn' },
    ],
  },
  states: {
    running: {
      on: {
        ADD: { guard: 'isNew', actions: 'add' },
        START: command,
        STOP: command,
        RESTART: command,
        RESET: command,
        REMOVE: command,
        UPDATE: [
          { guard: 'isBroken', actions: 'defer' },
          { guard: 'isReachable', actions: 'update' },
        ],
        CALL: [
          { guard: 'isBroken', actions: 'defer' },
          { guard: 'isReachable', actions: 'call' },
          { actions: 'rejectUnknown' },
        ],
        'plugin.entered': { guard: 'isToDecide', actions: ['noteEntered', 'freeAtRest', 'decide'] },
        'retry.elapsed': { guard: 'isReachable', actions: 'retry' },
        'stop.done': { guard: 'isRemoving', actions: 'remove' },
        'xstate.done.actor.*': swept,
        'xstate.error.actor.*': [...swept, { actions: 'sweep' }],
        CLOSE: 'closing',
        KILL: { target: 'closing', actions: 'killAll' },
      },
    },
    closing: {
      entry: 'stopAll',
      always: { guard: 'allAtRest', target: 'closed' },
      after: { close: { actions: 'killAll' } },
      on: {
        CALL: { actions: 'rejectClosed' },
        KILL: { actions: 'killAll' },
        'stop.done': { actions: 'noteAtRest' },
        'xstate.done.actor.*': { guard: 'isSweep', actions: 'rejectLost' },
        'xstate.error.actor.*': [{ guard: 'isSweep', actions: 'rejectLost' }, { actions: 'sweep' }],
      },
    },
    closed: { type: 'final' },
  },
});

export type SupervisorMachine = typeof supervisorMachine;
