/** The one place where machines meet actors. */

import { availableParallelism } from 'node:os';
import { createCloneActor } from '../actors/clone.ts';
import type { ActorContext, Limits, OutputLine } from '../actors/context.ts';
import { createDetectActor } from '../actors/detect.ts';
import { createGuard } from '../actors/guard.ts';
import { createHealthActor } from '../actors/health.ts';
import { createInstallActor } from '../actors/install.ts';
import { createProbeActor } from '../actors/probe.ts';
import { createProcessActor } from '../actors/process.ts';
import { createRuntimes } from '../actors/runtimes.ts';
import { createStore } from '../actors/store/create-store.ts';
import { createSurveyActor } from '../actors/survey.ts';
import { createSweepActor } from '../actors/sweep.ts';
import type { Launcher } from '../launchers/plan.ts';
import { pluginMachine } from '../machines/plugin.ts';
import { supervisorMachine } from '../machines/supervisor.ts';
import { supervisorError } from './errors.ts';
import { homeOf } from './home.ts';
import type { SupervisorOptions } from './options.ts';
import { createQuietLog } from './quiet-log.ts';

const MiB = 1024 * 1024;

/** An SDK server's stdio buffer holds 10 MiB; one byte more ends the server. */
const defaultLimits: Limits = {
  maxMessage: 10 * MiB - 1024,
  maxResult: 16 * MiB,
  maxFiles: 200_000,
  maxSource: 1024 * MiB,
};

/** Everything that actors share, for one supervisor. */
export function createContext(options: SupervisorOptions, output: (line: OutputLine) => void): ActorContext {
  if (process.platform === 'win32') throw supervisorError('CONFIG_UNSUPPORTED_PLATFORM');
  const silent = () => {};
  const log = createQuietLog(options.logger ?? { debug: silent, info: silent, warn: silent, error: silent });
  const callerEnv = options.env ?? process.env;
  const offline = options.offline ?? false;
  const store = createStore({ home: homeOf(options), log });
  const guard = createGuard();
  let launchers: Promise<readonly Launcher[]> | undefined;
  return {
    store,
    log,
    callerEnv,
    // Loaded at first need: a warm start never parses YAML or TOML.
    launchers: () => {
      launchers ??= import('../launchers/table.ts').then(({ builtIn }) => [...(options.launchers ?? []), ...builtIn]);
      return launchers;
    },
    runtimes: createRuntimes({ store, callerEnv, log, guard, output, offline }),
    guard,
    instances: new Map(),
    output,
    limits: { ...defaultLimits, ...options.limits },
    offline,
  };
}

/** The supervisor machine with every real actor in place. */
export const composeMachine = (context: ActorContext) =>
  supervisorMachine.provide({
    actors: {
      sweep: createSweepActor(context),
      plugin: pluginMachine.provide({
        actors: {
          survey: createSurveyActor(context),
          clone: createCloneActor(context),
          detect: createDetectActor(context),
          install: createInstallActor(context),
          process: createProcessActor(context),
          probe: createProbeActor(context),
          health: createHealthActor(context),
        },
      }),
    },
  });

export const defaultSlots = () => {
  const cores = availableParallelism();
  return { install: cores, launch: cores };
};
