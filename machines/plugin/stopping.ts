/**
 * The one way out of `alive`: calls in flight, stdin, SIGTERM, SIGKILL, the sweep, each with its time. Only the process
 * actor's `group.empty` (nothing of this generation runs any more) leaves it, to where the outcome says.
 */

import { sendTo } from 'xstate';
import { onStopCommands, whileEnding } from './commands.ts';
import { pluginSetup } from './setup.ts';

const kill = onStopCommands({ actions: ['refuseCalls', 'rejectHeld', 'endAbsent'] });

export const stopping = pluginSetup.createStateConfig({
  entry: ['stopClock', 'freeSlot', { type: 'report', params: { state: 'stopping' } }],
  initial: 'draining',
  on: {
    'group.empty': [
      { guard: 'isStale' },
      { guard: 'endsCrashed', target: '#plugin.crashed' },
      { guard: 'endsReinstalling', target: '#plugin.installing', actions: 'takeAttempt' },
      { guard: 'endsRelaunching', target: '#plugin.alive', reenter: true, actions: 'takeAttempt' },
      { guard: 'endsAwake', target: '#plugin.absent.checking' },
      { target: '#plugin.absent' },
    ],
    'group.abandoned': { guard: 'isCurrent', target: '#plugin.crashed.parked', actions: 'endAbandoned' },
    'process.spawned': { guard: 'isCurrent', actions: 'noteSpawned' },
    'process.failed': { guard: 'isCurrent', actions: 'noteGone' },
    'process.exited': { guard: 'isCurrent', actions: ['noteGone', { type: 'weighExit', params: { signalled: true } }] },
    // It ends already, for its own reason.
    'process.breached': {},
    ...whileEnding,
    KILL: { target: '.killing', actions: ['refuseCalls', 'rejectHeld', 'endAbsent'] },
  },
  states: {
    /** Waits for calls in flight where that makes sense; else it is left at once. */
    draining: {
      always: [
        { guard: 'neverSpawned', target: 'sweeping' },
        { guard: 'leaderGone', target: 'terminating' },
        { guard: 'closesInput', target: 'closing' },
        { guard: 'skipsInput', target: 'terminating' },
      ],
      after: { drain: { actions: 'setQuiet' } },
      on: { 'calls.drained': { guard: 'isCurrent', actions: 'setQuiet' } },
    },
    closing: {
      entry: sendTo('process', { type: 'input.close' }),
      after: { inputClose: 'terminating' },
      on: {
        'process.exited': {
          guard: 'isCurrent',
          target: 'terminating',
          actions: ['noteGone', { type: 'weighExit', params: { signalled: false } }],
        },
      },
    },
    terminating: {
      entry: sendTo('process', { type: 'signal', signal: 'SIGTERM' }),
      after: { terminate: 'killing' },
    },
    killing: {
      entry: sendTo('process', { type: 'signal', signal: 'SIGKILL' }),
      after: { kill: 'sweeping' },
      on: { KILL: kill.KILL },
    },
    sweeping: {
      entry: sendTo('process', { type: 'sweep' }),
      after: { sweep: { actions: sendTo('process', { type: 'abandon' }) } },
      on: { KILL: kill.KILL },
    },
  },
});
