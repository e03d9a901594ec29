import type { HealthInput } from '../contracts.ts';
import type { PluginContext } from './context.ts';
import { pluginSetup } from './setup.ts';

const healthInput = ({ context: { plugin, generation, health } }: { context: PluginContext }): HealthInput => ({
  plugin,
  generation,
  failures: health.failures,
});

/** A check that found something wrong: the gate closes, and the third silence in a row ends the generation. */
const unwell = [
  { guard: 'isHopeless', target: '#plugin.alive.stopping', actions: ['noteSilence', 'endUnresponsive'] },
  { target: '#plugin.alive.serving.health.failing', actions: 'noteSilence' },
] as const;

/** What each check does; only where it leads when all is well differs. */
const checks = <const Actions extends readonly ('noteWell' | 'reportUse')[]>(actions: Actions) =>
  ({
    invoke: {
      id: 'health',
      src: 'health',
      input: healthInput,
      onDone: [
        { guard: 'isWell', target: 'well', actions: [...actions] },
        { guard: 'isUnready', target: 'failing', actions: 'noteUnready' },
        ...unwell,
      ],
    },
    after: { healthCheck: unwell },
  }) as const;

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
          after: { idleStop: { guard: 'stopsWhenIdle', target: '#plugin.alive.stopping', actions: 'endAbsent' } },
          on: { 'calls.busy': { guard: 'isCurrent', target: 'ready' } },
        },
      },
    },
    health: {
      initial: 'well',
      states: {
        well: {
          tags: ['open'],
          entry: 'admitHeld',
          on: { CALL: { actions: 'admit' } },
          after: { liveness: { guard: 'checksHealth', target: 'checking' } },
        },
        /** The first doubt closes nothing: calls go on while it is asked. */
        checking: { tags: ['open'], on: { CALL: { actions: 'admit' } }, ...checks(['noteWell']) },
        /** Unrouted: calls wait here as they do for a start. */
        failing: { entry: 'reportUse', after: { recheck: 'rechecking' } },
        rechecking: checks(['noteWell', 'reportUse']),
      },
    },
  },
});
