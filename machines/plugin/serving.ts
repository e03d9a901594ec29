import type { HealthInput } from '../contracts.ts';
import type { PluginContext } from './context.ts';
import { pluginSetup } from './setup.ts';

const healthInput = ({ context: { plugin, generation, health } }: { context: PluginContext }): HealthInput => ({
  plugin,
  generation,
  failures: health.failures,
});

/** No answer: the gate closes, and the third silence in a row ends the generation. */
const silent = [
  { guard: 'isHopeless', target: '#plugin.alive.stopping', actions: ['noteSilence', 'endUnresponsive'] },
  { target: '#plugin.alive.serving.health.failing', actions: ['noteSilence', 'reportUse'] },
] as const;

const ask = { id: 'health', src: 'health', input: healthInput } as const;
const unready = { guard: 'isUnready', target: 'failing', actions: ['noteUnready', 'reportUse'] } as const;

/**
 * In service: `use` says whether anybody uses it, `health` whether it still answers. The gate (tag `open`) is health's:
 * `ready` means ready.
 */
export const serving = pluginSetup.createStateConfig({
  type: 'parallel',
  entry: ['stopClock', 'freeSlot'],
  on: {
    'process.exited': { guard: 'isCurrent', target: '#plugin.alive.stopping', actions: ['noteGone', 'endRun'] },
    'session.closed': { guard: 'isCurrent', target: '#plugin.alive.stopping', actions: 'endDisconnected' },
  },
  states: {
    use: {
      initial: 'ready',
      states: {
        ready: {
          entry: ['setBusy', 'reportUse'],
          on: { 'calls.quiet': { guard: 'isCurrent', target: 'idle' } },
        },
        idle: {
          entry: ['setQuiet', 'reportUse'],
          on: { 'calls.busy': { guard: 'isCurrent', target: 'ready' } },
          initial: 'counting',
          states: {
            counting: {
              after: { idleStop: { guard: 'stopsWhenIdle', target: '#plugin.alive.stopping', actions: 'endAbsent' } },
              // Another idle time counts from now on.
              on: { UPDATE: { guard: 'keepsLaunch', target: 'counting', reenter: true, actions: 'takeSpec' } },
            },
          },
        },
      },
    },
    health: {
      initial: 'well',
      states: {
        well: {
          tags: ['open'],
          entry: 'admitHeld',
          on: {
            CALL: { actions: 'admit' },
            UPDATE: { guard: 'keepsLaunch', target: 'well', reenter: true, actions: 'takeSpec' },
          },
          after: { liveness: { guard: 'checksHealth', target: 'checking' } },
        },
        /** The first doubt closes nothing: calls go on while it is asked. */
        checking: {
          tags: ['open'],
          on: { CALL: { actions: 'admit' } },
          invoke: { ...ask, onDone: [{ guard: 'isWell', target: 'well', actions: 'noteWell' }, unready, ...silent] },
          after: { healthCheck: silent },
        },
        /** Unrouted: calls wait here as they do for a start. */
        failing: { after: { recheck: 'rechecking' } },
        rechecking: {
          invoke: {
            ...ask,
            onDone: [
              { guard: 'isWell', target: 'well', actions: ['noteWell', 'reportUse'] },
              // It may say so once a second for days: told once.
              { guard: 'isStillUnready', target: 'failing', actions: 'noteUnready' },
              unready,
              ...silent,
            ],
          },
          after: { healthCheck: silent },
        },
      },
    },
  },
});
