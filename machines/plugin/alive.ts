import { sendTo } from 'xstate';
import type { ProcessInput } from '../contracts.ts';
import { onStopCommands } from './commands.ts';
import type { PluginContext } from './context.ts';
import { runningAttempt } from './outcomes.ts';
import { serving } from './serving.ts';
import { pluginSetup } from './setup.ts';
import { stopping } from './stopping.ts';

function processInput(context: PluginContext): ProcessInput {
  const { plugin, generation, spec, environment } = context;
  if (environment === null) throw new Error('no environment: a start got past install without one');
  return { plugin, generation, spec, environment, attempt: runningAttempt(context) };
}

/** One generation: from its place in the launch queue to the proof that nothing of it runs. */
export const alive = pluginSetup.createStateConfig({
  tags: ['live'],
  entry: 'beginGeneration',
  invoke: { id: 'process', src: 'process', input: ({ context }) => processInput(context) },
  initial: 'launching',
  on: {
    CALL: { guard: 'mayHold', actions: 'hold' },
    'process.failed': { guard: 'isCurrent', target: '.stopping', actions: ['noteGone', 'endEarly'] },
    'process.exited': { guard: 'isCurrent', target: '.stopping', actions: ['noteGone', 'endEarly'] },
    'process.breached': { guard: 'isCurrent', target: '.stopping', actions: 'endBreached' },
    'start.deadline': { guard: 'isCurrent', target: '.stopping', actions: 'endLate' },
    // Guarded as in stopping, which would else fall through to here when it refuses.
    RESTART: { guard: 'mayStart', target: '.stopping', actions: 'endRestart' },
    UPDATE: [
      { guard: 'changesLaunch', target: '.stopping', actions: ['takeSpec', 'endRestart'] },
      { actions: 'takeSpec' },
    ],
    ...onStopCommands({ target: '.stopping', actions: ['refuseCalls', 'rejectHeld', 'endAbsent'] }),
    KILL: [
      { guard: 'neverSpawned', target: '.stopping', actions: ['refuseCalls', 'rejectHeld', 'endAbsent'] },
      { target: '.stopping.killing', actions: ['refuseCalls', 'rejectHeld', 'endAbsent'] },
    ],
  },
  states: {
    launching: {
      entry: { type: 'report', params: { state: 'launching' } },
      initial: 'queued',
      states: {
        queued: {
          entry: ['freeSlot', { type: 'wantSlot', params: { slot: 'launch' } }],
          on: {
            'slot.granted': { guard: 'grantsSlot', target: 'running', actions: 'takeSlot' },
            CALL: { guard: 'mayHold', actions: ['hold', { type: 'wantSlot', params: { slot: 'launch' } }] },
          },
        },
        running: {
          entry: ['noteSpawning', sendTo('process', { type: 'spawn' }), 'startClock'],
          on: { 'process.spawned': { guard: 'isCurrent', target: '#plugin.alive.probing', actions: 'noteSpawned' } },
        },
      },
    },
    probing: {
      entry: { type: 'report', params: { state: 'probing' } },
      invoke: { id: 'probe', src: 'probe', input: ({ context }) => processInput(context) },
      on: {
        'probe.listening': { guard: 'isCurrent', actions: 'noteListening' },
        'probe.ready': { guard: 'isCurrent', target: 'serving', actions: 'noteReady' },
        'probe.failed': { guard: 'isCurrent', target: 'stopping', actions: 'endEarly' },
      },
    },
    serving,
    stopping,
  },
});
