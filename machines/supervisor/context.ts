import type { DoneActorEvent, ErrorActorEvent } from 'xstate';
import type { PluginSpec } from '../../launchers/plan.ts';
import type { PluginReport, Slot, SupervisorCommand } from '../events.ts';
import type { Failure } from '../failure.ts';
import {
  type Bounds,
  defaultBounds,
  noHistory,
  type RestartHistory,
  type RestartPolicy,
  type Timing,
} from '../policy.ts';
import { emptyQueue, type SlotQueue } from '../slots.ts';
import type { PluginState } from '../states.ts';

export interface SupervisorInput {
  readonly timing: Timing;
  readonly restartPolicy: RestartPolicy;
  /** Default: `defaultBounds`. */
  readonly bounds?: Bounds;
  /** How many plugins may work at once: clone to install, and spawn to ready. At least 1. */
  readonly slots: Readonly<Record<Slot, number>>;
  /** Epoch milliseconds that never jump: a monotonic clock with an offset. */
  readonly now: () => number;
  /** In [0, 1); spreads restarts. */
  readonly random: () => number;
}

/** What the supervisor knows of one plugin; plain JSON. */
export interface Member {
  readonly spec: PluginSpec;
  /** Last one reported; null before the first. */
  readonly state: PluginState | null;
  readonly history: RestartHistory;
  /** Calls passed to it that it has not answered. */
  readonly calls: readonly string[];
  /** Place in the order of starts; 0: never launched. */
  readonly launched: number;
  readonly removing: boolean;
  /** Stopped on request: only START and RESTART end that. */
  readonly stopped: boolean;
  /** While closing: its STOP has been answered. */
  readonly atRest: boolean;
  /** Its actor broke and its processes are being swept; set until it is built anew. */
  readonly broken: Failure | null;
  /** Commands that came meanwhile. */
  readonly deferred: readonly SupervisorCommand[];
}

/** What outlives a plugin's actor, so that a later one of the same name continues from it. */
export interface Past {
  /** Highest one used. */
  readonly generation: number;
  readonly abandoned: readonly number[];
}

export interface SupervisorContext extends Required<SupervisorInput> {
  readonly plugins: Readonly<Record<string, Member>>;
  readonly past: Readonly<Record<string, Past>>;
  readonly queues: Readonly<Record<Slot, SlotQueue>>;
  /** Times of the spawns within the last `restartPolicy.spawnWindow`. */
  readonly spawns: readonly number[];
  /** Launches so far; numbers the order of starts. */
  readonly launches: number;
}

/** The supervisor's own timers. */
type TimerEvent =
  | {
      readonly type: 'retry.elapsed';
      readonly plugin: string;
      readonly generation: number;
      readonly purpose: 'retry' | 'trial';
    }
  | { readonly type: 'launch.expired'; readonly plugin: string }
  | { readonly type: 'spawns.allowed' };

export type SupervisorMachineEvent = SupervisorCommand | PluginReport | TimerEvent | DoneActorEvent | ErrorActorEvent;

export const createSupervisorContext = (input: SupervisorInput): SupervisorContext => ({
  bounds: defaultBounds,
  ...input,
  plugins: {},
  past: {},
  queues: { install: emptyQueue(input.slots.install), launch: emptyQueue(input.slots.launch) },
  spawns: [],
  launches: 0,
});

export const newMember = (spec: PluginSpec): Member => ({
  spec,
  state: null,
  history: noHistory,
  calls: [],
  launched: 0,
  removing: false,
  stopped: false,
  atRest: false,
  broken: null,
  deferred: [],
});

/** Own names only: a plugin may be called `constructor`. */
export const memberOf = ({ plugins }: SupervisorContext, plugin: string): Member | undefined =>
  Object.hasOwn(plugins, plugin) ? plugins[plugin] : undefined;

export const pastOf = ({ past }: SupervisorContext, plugin: string): Past =>
  (Object.hasOwn(past, plugin) ? past[plugin] : undefined) ?? { generation: 0, abandoned: [] };

/** The context with one plugin changed; unchanged when there is none of that name. */
export function withMember(
  context: SupervisorContext,
  plugin: string,
  change: (member: Member) => Partial<Member>,
): Pick<SupervisorContext, 'plugins'> {
  const member = memberOf(context, plugin);
  if (member === undefined) return { plugins: context.plugins };
  return { plugins: { ...context.plugins, [plugin]: { ...member, ...change(member) } } };
}
