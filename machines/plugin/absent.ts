import { assign } from 'xstate';
import type { Survey } from '../contracts.ts';
import { isPermanent } from '../failure.ts';
import { onStopCommands } from './commands.ts';
import type { PluginContext } from './context.ts';
import { pluginSetup } from './setup.ts';

/** A start begins with what survey found; an abandoned process that is gone is forgotten. */
const startFrom = ({ checkout, plan, environment, attempt }: Survey): Partial<PluginContext> => ({
  checkout,
  plan,
  environment,
  attempt,
  relaunches: 0,
  tried: [],
  outcome: null,
  abandoned: [],
});

const crashWith = ({ blocked }: Survey): Partial<PluginContext> => ({
  outcome: blocked && { to: 'crashed', failure: blocked },
});

/** No process. `checking` asks the disk what is stale; it takes milliseconds and is not shown as a state of its own. */
export const absent = pluginSetup.createStateConfig({
  initial: 'resting',
  states: {
    resting: {
      entry: ['rest', { type: 'report', params: { state: 'absent' } }, 'acknowledge'],
      on: {
        ...onStopCommands({ actions: ['refuseCalls', 'acknowledge'] }),
        START: { guard: 'mayStart', target: 'checking', actions: 'allowCalls' },
        RESTART: { guard: 'mayStart', target: 'checking', actions: 'allowCalls' },
        CALL: { guard: 'mayHold', target: 'checking', actions: 'hold' },
        UPDATE: { actions: ['followActivation', 'takeSpec'] },
        // Its actor broke and was built anew; the supervisor's backoff ends here.
        'retry.due': { guard: 'isDueAtRest', target: 'checking' },
      },
    },
    checking: {
      on: {
        CALL: { guard: 'mayHold', actions: 'hold' },
        START: { guard: 'mayStart', actions: 'allowCalls' },
        RESTART: { guard: 'mayStart', actions: 'allowCalls' },
        // What is being found out answers to the spec of before.
        UPDATE: [
          { guard: 'changesLaunch', target: 'checking', reenter: true, actions: 'takeSpec' },
          { actions: 'takeSpec' },
        ],
        // Whether the abandoned processes are gone decides where it may rest.
        ...onStopCommands([
          { guard: 'hasAbandoned', actions: ['refuseCalls', 'rejectHeld'] },
          { target: 'resting', actions: ['refuseCalls', 'rejectHeld'] },
        ]),
      },
      invoke: {
        id: 'survey',
        src: 'survey',
        input: ({ context: { plugin, spec, abandoned } }) => ({ plugin, spec, abandoned }),
        onDone: [
          {
            guard: ({ context, event }) =>
              event.output.blocked !== null && (context.stopped || isPermanent(event.output.blocked)),
            target: '#plugin.crashed.parked',
            actions: assign(({ event }) => crashWith(event.output)),
          },
          {
            guard: ({ event }) => event.output.blocked !== null,
            target: '#plugin.crashed',
            actions: assign(({ event }) => crashWith(event.output)),
          },
          {
            guard: ({ context }) => context.stopped,
            target: 'resting',
            actions: assign(({ event }) => startFrom(event.output)),
          },
          {
            guard: ({ event }) => event.output.stale === 'cloning',
            target: '#plugin.cloning',
            actions: assign(({ event }) => startFrom(event.output)),
          },
          {
            guard: ({ event }) => event.output.stale === 'detecting',
            target: '#plugin.detecting',
            actions: assign(({ event }) => startFrom(event.output)),
          },
          {
            guard: ({ event }) => event.output.stale === 'installing',
            target: '#plugin.installing',
            actions: assign(({ event }) => startFrom(event.output)),
          },
          { target: '#plugin.alive', actions: assign(({ event }) => startFrom(event.output)) },
        ],
      },
    },
  },
});
