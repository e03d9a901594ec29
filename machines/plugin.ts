import { absent } from './plugin/absent.ts';
import { alive } from './plugin/alive.ts';
import { createPluginContext } from './plugin/context.ts';
import { crashed } from './plugin/crashed.ts';
import { cloning, detecting, installing } from './plugin/jobs.ts';
import { pluginSetup } from './plugin/setup.ts';

/**
 * One plugin's life, ten states. Its actors are placeholders that throw: provide them.
 * What it decides goes to its parent as `PluginReport`s; its snapshot (tag `open`, `context.generation`) is the gate for
 * calls.
 */
export const pluginMachine = pluginSetup.createMachine({
  id: 'plugin',
  // Far above any chain of eventless transitions here; a circle would else hang the whole program.
  options: { maxIterations: 100 },
  context: ({ input }) => createPluginContext(input),
  initial: 'absent',
  on: {
    // Whatever no state takes is answered here: no call can get lost.
    CALL: { actions: 'reject' },
    'call.cancelled': { actions: 'withdraw' },
  },
  states: { absent, cloning, detecting, installing, alive, crashed },
});

export type PluginMachine = typeof pluginMachine;
