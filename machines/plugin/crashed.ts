import { onStopCommands } from './commands.ts';
import { pluginSetup } from './setup.ts';

/**
 * A start or a run failed and nothing of it runs. `waiting`: the supervisor has been told and will try again, or say that
 * it won't. `parked`: only START, RESET, RESTART or (after a while) one trial by a call go on.
 */
export const crashed = pluginSetup.createStateConfig({
  entry: ['takeFailure', { type: 'report', params: { state: 'crashed' } }],
  exit: 'forgetFailure',
  initial: 'waiting',
  on: {
    START: { guard: 'mayStart', target: '#plugin.absent.checking', actions: 'allowCalls' },
    RESTART: { guard: 'mayStart', target: '#plugin.absent.checking', actions: 'allowCalls' },
    'retry.due': { guard: 'isCurrent', target: '#plugin.absent.checking' },
    // absent would mean "no process": with abandoned ones it is stopped, but stays here.
    ...onStopCommands([
      { guard: 'hasAbandoned', actions: ['refuseCalls', 'rejectHeld', 'acknowledge'] },
      { target: '#plugin.absent', actions: ['refuseCalls', 'rejectHeld'] },
    ]),
  },
  states: {
    waiting: {
      on: {
        CALL: { guard: 'mayHold', actions: 'hold' },
        RESET: '#plugin.absent.checking',
        UPDATE: [
          { guard: 'changesLaunch', target: '#plugin.absent.checking', actions: 'takeSpec' },
          { actions: 'takeSpec' },
        ],
        'retry.scheduled': { actions: 'noteRetry' },
        'retry.parked': { target: 'parked', actions: 'noteTrial' },
      },
    },
    parked: {
      entry: ['rejectHeld', 'acknowledge'],
      on: {
        CALL: { guard: 'mayTry', target: '#plugin.absent.checking', actions: 'hold' },
        'retry.parked': { actions: 'noteTrial' },
        'trial.due': { guard: 'isCurrent', actions: 'openTrial' },
        RESET: { guard: 'nothingAbandoned', target: '#plugin.absent' },
        UPDATE: [{ guard: 'forgivesPark', target: '#plugin.absent', actions: 'takeSpec' }, { actions: 'takeSpec' }],
      },
    },
  },
});
