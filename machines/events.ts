/**
 * The closed union of events, by who says what to whom. Commands are CAPITALS, facts are `noun.verb`. Every fact about
 * a start carries its generation; a stale one is ignored.
 */

import type { PluginSpec } from '../launchers/plan.ts';
import type { JobEnded, ProbeEvent, ProcessEvent } from './contracts.ts';
import type { Failure } from './failure.ts';
import type { Timing } from './policy.ts';
import type { PluginState } from './states.ts';

/** Two kinds of work are rationed: `install` covers clone to install, `launch` covers spawn to ready (at most 5 s). */
export type Slot = 'install' | 'launch';

/** Facade or supervisor → plugin. */
export type PluginCommand =
  | { readonly type: 'START' }
  | { readonly type: 'STOP' }
  | { readonly type: 'RESTART' }
  /** Like STOP, and held calls are rejected as removed. */
  | { readonly type: 'REMOVE' }
  | { readonly type: 'RESET' }
  /** Another spec from now on. `restarts`: it changes how the plugin is made or launched, so what runs is drained first. */
  | { readonly type: 'UPDATE'; readonly spec: PluginSpec; readonly timing: Timing; readonly restarts: boolean }
  /** Skip every grace: SIGKILL now (close deadline, second signal). */
  | { readonly type: 'KILL' }
  | { readonly type: 'CALL'; readonly callId: string };

/** Supervisor → plugin: what was decided. */
export type SupervisorDecision =
  | { readonly type: 'slot.granted'; readonly slot: Slot }
  /** The crash will be retried: `retry.due` follows at that time (epoch ms). */
  | { readonly type: 'retry.scheduled'; readonly at: number }
  | { readonly type: 'retry.due'; readonly generation: number }
  /** No more retries: crashed.parked. `trialAt` is when a call may try again (epoch ms), null never. */
  | { readonly type: 'retry.parked'; readonly trialAt: number | null }
  /** `trialAt` has come: the next CALL gets one trial start (`permanent` plugins get `retry.due` instead). */
  | { readonly type: 'trial.due'; readonly generation: number };

/** Broker → plugin: edges of traffic, never one per call. */
export type TrafficEvent =
  | { readonly type: 'calls.busy'; readonly generation: number }
  /** Nothing in flight and no subscription for 1 s. */
  | { readonly type: 'calls.quiet'; readonly generation: number }
  /** Nothing in flight; sent while stopping.draining. */
  | { readonly type: 'calls.drained'; readonly generation: number }
  /** A held call gave up waiting (timeout or abort). */
  | { readonly type: 'call.cancelled'; readonly callId: string }
  /** The connection is gone although the process lives. */
  | { readonly type: 'session.closed'; readonly generation: number; readonly failure: Failure };

export type PluginEvent = PluginCommand | SupervisorDecision | TrafficEvent | JobEnded | ProcessEvent | ProbeEvent;

/** Plugin → supervisor. */
export type PluginReport =
  | {
      readonly type: 'plugin.entered';
      readonly plugin: string;
      readonly state: PluginState;
      readonly generation: number;
      /** Set on `crashed`, on `stopping` when a failure is the reason, and on `ready` and `idle` while unrouted. */
      readonly failure: Failure | null;
    }
  /** The answer to STOP, REMOVE and KILL: at rest now, in absent, or parked because processes had to be abandoned. */
  | { readonly type: 'stop.done'; readonly plugin: string }
  | { readonly type: 'slot.wanted'; readonly plugin: string; readonly slot: Slot; readonly urgent: boolean }
  | { readonly type: 'slot.freed'; readonly plugin: string; readonly slot: Slot }
  | CallVerdict;

/** The answer to every CALL, exactly once. */
export type CallVerdict =
  | { readonly type: 'call.admitted'; readonly plugin: string; readonly callId: string; readonly generation: number }
  | { readonly type: 'call.rejected'; readonly plugin: string; readonly callId: string; readonly failure: Failure };

/** Facade and broker → supervisor; `plugin` names the child. */
export type SupervisorCommand =
  | { readonly type: 'ADD'; readonly plugin: string; readonly spec: PluginSpec }
  | { readonly type: 'UPDATE'; readonly plugin: string; readonly spec: PluginSpec; readonly restarts: boolean }
  | { readonly type: 'CLOSE' }
  /** Second signal while closing: kill everything now. */
  | { readonly type: 'KILL' }
  | { readonly type: 'START' | 'STOP' | 'RESTART' | 'REMOVE' | 'RESET'; readonly plugin: string }
  | { readonly type: 'CALL'; readonly plugin: string; readonly callId: string }
  /** Traffic for one plugin, passed on as it is. */
  | { readonly type: 'traffic'; readonly plugin: string; readonly event: TrafficEvent };

/** What the supervisor machine emits: the facade's one subscription. */
export type SupervisorEmitted =
  | CallVerdict
  | Extract<PluginReport, { type: 'plugin.entered' }>
  | { readonly type: 'plugin.removed'; readonly plugin: string };
