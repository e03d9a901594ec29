/** One supervisor process that clones one source: `home source plugin`. Prints the job's result. */
import { createActor, createMachine } from 'xstate';
import { createCloneActor } from '../../../actors/clone.ts';
import type { ActorContext } from '../../../actors/context.ts';
import { createStore } from '../../../actors/store/create-store.ts';
import { specOf } from '../../support/spec.ts';

const [home = '', source = '', plugin = ''] = process.argv.slice(2);
const silent = () => {};
const context: ActorContext = {
  store: createStore({ home }),
  log: { debug: silent, info: silent, warn: silent, error: silent },
  launchers: async () => [],
  runtimes: { check: async () => [], provide: () => Promise.reject(new Error('no runtimes here')) },
  guard: { watch: silent, unwatch: silent, close: silent },
  instances: new Map(),
  output: silent,
  callerEnv: process.env,
  limits: { maxMessage: 1, maxResult: 1, maxFiles: 200_000, maxSource: 1_073_741_824 },
};
const machine = createMachine({
  invoke: { id: 'clone', src: createCloneActor(context), input: { plugin, spec: specOf(source) } },
  on: { 'job.ended': { actions: ({ event }) => console.log(JSON.stringify(event.result)) } },
});
createActor(machine).start();
