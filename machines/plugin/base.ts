/** Types, actors, guards and delays of the plugin chart; its actions are in `setup.ts`. */

import { fromCallback, fromPromise, setup } from 'xstate';
import type {
  CloneActor,
  DetectActor,
  Health,
  HealthActor,
  InstallActor,
  PluginActors,
  ProbeActor,
  ProcessActor,
  SurveyActor,
} from '../contracts.ts';
import { timerDelay } from '../policy.ts';
import type { PluginContext, PluginInput, PluginMachineEvent } from './context.ts';
import { afterFailedReinstall } from './outcomes.ts';

const notProvided = (name: string) => (): never => {
  throw new Error(`actor "${name}" was not provided`);
};

/** Only the types matter: `src/compose` and the tests bring the actors. */
const placeholders: PluginActors = {
  survey: fromPromise(notProvided('survey')) as SurveyActor,
  clone: fromCallback(notProvided('clone')) as CloneActor,
  detect: fromCallback(notProvided('detect')) as DetectActor,
  install: fromCallback(notProvided('install')) as InstallActor,
  process: fromCallback(notProvided('process')) as ProcessActor,
  probe: fromCallback(notProvided('probe')) as ProbeActor,
  health: fromPromise(notProvided('health')) as HealthActor,
};

/** Calls don't start it: stopped on request, or on its way to rest where only START is to wake it. */
export const isDeaf = ({ stopped, spec, outcome }: PluginContext): boolean =>
  stopped || (spec.activation === 'manual' && outcome?.to === 'absent');

/** What the health actor ended with. */
export const healthIn = (event: PluginMachineEvent): Health | null =>
  'output' in event ? (event as { readonly output: Health }).output : null;

/** Calls in flight are worth waiting for: the program lives, and nobody says that it is broken. */
const drains = ({ busy, outcome }: PluginContext): boolean =>
  busy && (outcome?.to === 'absent' || outcome?.to === 'restart');

/** Closing its stdin may end it. */
function hasInput({ service, attempt, leader }: PluginContext): boolean {
  const transport = service?.transport ?? attempt?.transport;
  return leader === 'alive' && (transport === 'stdio' || transport === 'auto');
}

export const pluginBase = setup({
  types: {} as {
    context: PluginContext;
    events: PluginMachineEvent;
    input: PluginInput;
    tags: 'open' | 'live';
    children: {
      survey: 'survey';
      clone: 'clone';
      detect: 'detect';
      install: 'install';
      process: 'process';
      probe: 'probe';
      health: 'health';
    };
  },

  actors: { ...placeholders },

  delays: {
    clone: ({ context }) => timerDelay(context.timing.clone),
    detect: ({ context }) => timerDelay(context.timing.detect),
    install: ({ context }) => timerDelay(context.timing.install),
    start: ({ context }) => timerDelay(context.timing.start),
    drain: ({ context }) => timerDelay(context.timing.drain),
    inputClose: ({ context }) => timerDelay(context.timing.inputClose),
    terminate: ({ context }) => timerDelay(context.timing.terminate),
    kill: ({ context }) => timerDelay(context.timing.kill),
    sweep: ({ context }) => timerDelay(context.timing.sweep),
    idleStop: ({ context }) => timerDelay(context.timing.idleStop ?? 0),
    liveness: ({ context }) => timerDelay(context.timing.liveness ?? 0),
    healthCheck: ({ context }) => timerDelay(context.timing.healthCheck),
    recheck: ({ context }) => timerDelay(context.timing.recheck),
  },

  guards: {
    /** A fact or a decision about this very generation. */
    isCurrent: ({ context, event }) => 'generation' in event && event.generation === context.generation,
    isStale: ({ context, event }) => 'generation' in event && event.generation !== context.generation,
    isDueAtRest: ({ context, event }) =>
      event.type === 'retry.due' && event.generation === context.generation && !context.stopped,
    mayHold: ({ context }) => !isDeaf(context) && context.held.length < context.bounds.heldCalls,
    mayTry: ({ context }) => context.trialOpen && !isDeaf(context),
    mayStart: ({ context }) => !context.removed,
    mayStartAgain: ({ context }) => !context.removed && context.outcome?.to !== 'relaunch',
    stopsWhenIdle: ({ context }) => context.timing.idleStop !== null,
    checksHealth: ({ context }) => context.timing.liveness !== null,
    isWell: ({ event }) => healthIn(event)?.status === 'well',
    isUnready: ({ event }) => healthIn(event)?.status === 'unready',
    isStillUnready: ({ context: { health }, event }) =>
      healthIn(event)?.status === 'unready' && health.failure !== null && health.failures === 0,
    /** This silence is the last one that is borne. */
    isHopeless: ({ context }) => context.health.failures + 1 >= context.bounds.healthFailures,
    forgivesPark: ({ context, event }) => event.type === 'UPDATE' && event.restarts && context.abandoned.length === 0,
    changesLaunch: ({ event }) => event.type === 'UPDATE' && event.restarts,
    keepsLaunch: ({ event }) => event.type === 'UPDATE' && !event.restarts,
    endsForNewSpec: ({ context, event }) =>
      event.type === 'UPDATE' && event.restarts && context.outcome !== null && context.outcome.to !== 'absent',
    hasAbandoned: ({ context }) => context.abandoned.length > 0,
    nothingAbandoned: ({ context }) => context.abandoned.length === 0,

    ownsSlot: ({ context }) => context.slot?.granted === true,
    grantsSlot: ({ context, event }) => event.type === 'slot.granted' && event.slot === context.slot?.kind,

    succeeded: ({ event }) => event.type === 'job.ended' && event.result.status === 'done',

    hasFallback: ({ context }) => afterFailedReinstall(context) !== null,

    endsCrashed: ({ context }) => context.outcome?.to === 'crashed',
    /** To start again: asked for, or calls came while it was on its way to rest. */
    endsAwake: ({ context }) => context.outcome?.to === 'restart' || context.held.length > 0,
    endsReinstalling: ({ context: { outcome, attempt } }) =>
      outcome?.to === 'relaunch' &&
      (outcome.attempt.dependencies !== attempt?.dependencies || outcome.attempt.runtime !== attempt.runtime),
    endsRelaunching: ({ context }) => context.outcome?.to === 'relaunch',

    neverSpawned: ({ context }) => context.leader === 'none',
    leaderGone: ({ context }) => context.leader === 'gone',
    closesInput: ({ context }) => !drains(context) && hasInput(context),
    skipsInput: ({ context }) => !drains(context) && !hasInput(context),
  },
});
