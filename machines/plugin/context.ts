import type { LaunchPlan, PluginSpec } from '../../launchers/plan.ts';
import type { Tried } from '../attempts.ts';
import type { Attempt, Checkout, Environment, ProbeEvent } from '../contracts.ts';
import type { PluginEvent, Slot } from '../events.ts';
import type { Failure } from '../failure.ts';
import { type Bounds, defaultBounds, type Timing } from '../policy.ts';

export interface PluginInput {
  /** Name of the instance; every report carries it. */
  readonly plugin: string;
  readonly spec: PluginSpec;
  /** The last generation used under this name; the next start gets the one after. */
  readonly generation: number;
  readonly timing: Timing;
  /** Default: `defaultBounds`. */
  readonly bounds?: Bounds;
  /** Processes that an earlier actor of this name had to abandon. Default none. */
  readonly abandoned?: readonly number[];
}

/** Where a way out of a job or of `alive` leads once nothing of the plugin runs any more. */
export type Outcome =
  | { readonly to: 'absent' }
  | { readonly to: 'crashed'; readonly failure: Failure }
  /** Another attempt of the same start, with its own generation; not a crash. */
  | { readonly to: 'relaunch'; readonly attempt: Attempt }
  /** The operator's RESTART, or a START while stopping. */
  | { readonly to: 'restart' };

/** What the probe found out about the running generation. */
export type Service = Omit<Extract<ProbeEvent, { type: 'probe.ready' }>, 'type' | 'generation'>;

/** The program of this generation: `none` was never asked for, `spawning` was, `gone` has exited or could not run. */
export type Leader = 'none' | 'spawning' | 'alive' | 'gone';

/** Plain JSON. Status, the gate and the inspector read it from the snapshot. */
export interface PluginContext {
  readonly plugin: string;
  readonly spec: PluginSpec;
  /** With the spec's overrides. */
  readonly timing: Timing;
  readonly bounds: Bounds;
  /** The running generation, or the last one. The gate reads it on each call. */
  readonly generation: number;

  readonly checkout: Checkout | null;
  readonly plan: LaunchPlan | null;
  readonly environment: Environment | null;
  readonly attempt: Attempt | null;
  /** Relaunches within this start. */
  readonly relaunches: number;
  /** How the candidates of this start failed so far. */
  readonly tried: readonly Tried[];

  readonly leader: Leader;
  readonly pid: number | null;
  readonly service: Service | null;
  /** A socket of this generation was seen while probing. */
  readonly listening: boolean;
  /** Health checks of this generation that were not answered, in a row, and what the last bad one found. */
  readonly health: { readonly failures: number; readonly failure: Failure | null };
  /** Calls may be in flight: stopping waits for them. */
  readonly busy: boolean;
  /** Slot that was asked for, with whether it was granted. */
  readonly slot: { readonly kind: Slot; readonly granted: boolean } | null;

  /** Ids of the calls that wait for ready, oldest first. */
  readonly held: readonly string[];
  /** Calls don't start it: the operator's STOP, or `activation: manual`. START ends that. */
  readonly stopped: boolean;
  /** REMOVE was taken: nothing starts any more. */
  readonly removed: boolean;
  /** Set while stopping and cancelling. */
  readonly outcome: Outcome | null;
  /** Set in crashed. */
  readonly failure: Failure | null;
  /** When the supervisor tries again (epoch ms); set in crashed.waiting. */
  readonly retryAt: number | null;
  /** When a call may try again (epoch ms); set in crashed.parked. */
  readonly trialAt: number | null;
  /** `trialAt` has come. */
  readonly trialOpen: boolean;
  /** Processes that outlived SIGKILL; survey refuses a start until they are gone. */
  readonly abandoned: readonly number[];
}

/** What the machine hears: its own deadline besides the events of the world. */
export type PluginMachineEvent = PluginEvent | { readonly type: 'start.deadline'; readonly generation: number };

export const wellHealth: PluginContext['health'] = { failures: 0, failure: null };

/** A plugin's own numbers over the supervisor's. */
export function timingOf(timing: Timing, { timeouts, idleStop, liveness = timing.liveness }: PluginSpec): Timing {
  const { clone = timing.clone, install = timing.install, start = timing.start } = timeouts;
  return { ...timing, clone, install, start, idleStop, liveness };
}

export function createPluginContext(input: PluginInput): PluginContext {
  const { plugin, spec, generation, timing, bounds = defaultBounds, abandoned = [] } = input;
  return {
    plugin,
    spec,
    timing: timingOf(timing, spec),
    bounds,
    generation,
    checkout: null,
    plan: null,
    environment: null,
    attempt: null,
    relaunches: 0,
    tried: [],
    leader: 'none',
    pid: null,
    service: null,
    listening: false,
    health: wellHealth,
    busy: false,
    slot: null,
    held: [],
    stopped: spec.activation === 'manual',
    removed: false,
    outcome: null,
    failure: null,
    retryAt: null,
    trialAt: null,
    trialOpen: false,
    abandoned,
  };
}
