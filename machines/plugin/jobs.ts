/**
 * Clone, detect and install: each is left only on its own `job.ended`, so that a command or a deadline waits (in
 * `cancelling`) until the job's processes and temp folders are gone. The `install` slot, taken by the first of them that
 * needs it, is kept until launching or an end.
 */

import { sendTo } from 'xstate';
import type { CauseKind } from '../../launchers/plan.ts';
import type { Fallback } from '../contracts.ts';
import type { FailureCode } from '../failure.ts';
import { onStopCommands, whileEnding } from './commands.ts';
import type { PluginContext } from './context.ts';
import { pluginSetup } from './setup.ts';

type Job = 'clone' | 'detect' | 'install';

/** Waits for the slot; entered again when a call makes the wait urgent. */
const queued = pluginSetup.createStateConfig({
  entry: { type: 'wantSlot', params: { slot: 'install' } },
  always: { guard: 'ownsSlot', target: 'active' },
  on: {
    'slot.granted': { guard: 'grantsSlot', actions: 'takeSlot' },
    CALL: { guard: 'mayHold', actions: ['hold', { type: 'wantSlot', params: { slot: 'install' } }] },
    UPDATE: [
      { guard: 'changesLaunch', target: '#plugin.absent.checking', actions: ['freeSlot', 'takeSpec'] },
      { actions: 'takeSpec' },
    ],
    ...onStopCommands({ target: '#plugin.absent', actions: ['freeSlot', 'refuseCalls', 'rejectHeld'] }),
  },
});

/** What was installed before is still there, and there is another way to start it. */
const afterReinstall = {
  guard: 'hasFallback',
  target: '#plugin.alive',
  actions: ['endFailedReinstall', 'takeAttempt'],
} as const;

const running = (job: Job, next: string, late: FailureCode) =>
  pluginSetup.createStateConfig({
    after: { [job]: { target: 'cancelling', actions: { type: 'endLateJob', params: { code: late } } } as const },
    on: {
      'job.ended': [
        { guard: 'succeeded', target: next, actions: 'keepResult' },
        ...(job === 'install' ? [afterReinstall] : []),
        { target: '#plugin.crashed', actions: ['freeSlot', 'endFailedJob'] },
      ],
      CALL: { guard: 'mayHold', actions: 'hold' },
      RESTART: { target: 'cancelling', actions: 'endRestart' },
      UPDATE: [
        { guard: 'changesLaunch', target: 'cancelling', actions: ['takeSpec', 'endRestart'] },
        { actions: 'takeSpec' },
      ],
      ...onStopCommands({ target: 'cancelling', actions: ['refuseCalls', 'rejectHeld', 'endAbsent'] }),
    },
  });

const cancelling = (job: Job) =>
  pluginSetup.createStateConfig({
    entry: sendTo(job, { type: 'job.cancel' }),
    on: {
      'job.ended': [
        { guard: 'endsCrashed', target: '#plugin.crashed', actions: 'freeSlot' },
        { guard: 'endsAwake', target: '#plugin.absent.checking', actions: 'freeSlot' },
        { target: '#plugin.absent', actions: 'freeSlot' },
      ],
      ...whileEnding,
    },
  });

/** Only `checking` and what follows it run jobs, so what an earlier stage made is there. */
function made<Key extends 'checkout' | 'plan' | 'attempt'>(context: PluginContext, key: Key) {
  const value = context[key];
  if (value === null) throw new Error(`no ${key}: a start got past the stage that makes it`);
  return value as NonNullable<PluginContext[Key]>;
}

/** The failed start that a relaunch installs anew for. */
function reasonOf({ relaunches, tried }: PluginContext): Fallback | null {
  const failure = relaunches === 0 ? undefined : tried.at(-1)?.failure;
  return failure === undefined
    ? null
    : { tried: 'start', cause: (failure.data.cause as CauseKind | undefined) ?? 'unknown', detail: failure.message };
}

export const cloning = pluginSetup.createStateConfig({
  entry: { type: 'report', params: { state: 'cloning' } },
  initial: 'queued',
  states: {
    queued,
    active: {
      invoke: { id: 'clone', src: 'clone', input: ({ context: { plugin, spec } }) => ({ plugin, spec }) },
      initial: 'running',
      states: { running: running('clone', '#plugin.detecting', 'CLONE_TIMEOUT'), cancelling: cancelling('clone') },
    },
  },
});

/** Reads some files: short enough to need no slot. */
export const detecting = pluginSetup.createStateConfig({
  entry: { type: 'report', params: { state: 'detecting' } },
  invoke: {
    id: 'detect',
    src: 'detect',
    input: ({ context }) => ({ plugin: context.plugin, spec: context.spec, checkout: made(context, 'checkout') }),
  },
  initial: 'running',
  states: { running: running('detect', '#plugin.installing', 'DETECT_TIMEOUT'), cancelling: cancelling('detect') },
});

export const installing = pluginSetup.createStateConfig({
  entry: { type: 'report', params: { state: 'installing' } },
  initial: 'queued',
  states: {
    queued,
    active: {
      invoke: {
        id: 'install',
        src: 'install',
        input: ({ context }) => ({
          plugin: context.plugin,
          spec: context.spec,
          checkout: made(context, 'checkout'),
          plan: made(context, 'plan'),
          dependencies: made(context, 'attempt').dependencies,
          runtime: made(context, 'attempt').runtime,
          because: reasonOf(context),
        }),
      },
      initial: 'running',
      states: { running: running('install', '#plugin.alive', 'INSTALL_TIMEOUT'), cancelling: cancelling('install') },
    },
  },
});
