/** Calls that wait to be admitted: each is settled once, by the machines' verdict, its own limit or its signal. */

import { pluginOf } from '../actors/instance-name.ts';
import { createAbortListeners } from '../actors/mcp/abort-listeners.ts';
import { type PatientTimeout, setPatientTimeout } from '../actors/patient-timeout.ts';
import type { SupervisorCommand } from '../machines/events.ts';
import { createFailure, type Failure } from '../machines/failure.ts';
import { timerDelay } from '../machines/policy.ts';
import type { PluginState } from '../machines/states.ts';
import { SupervisorError } from './errors.ts';
import type { CallOptions } from './options.ts';

/** States in which the time of `hold` runs (ready and idle: unrouted); in the others the stage's own deadline rules. */
const HOLDING: ReadonlySet<PluginState> = new Set(['launching', 'ready', 'idle', 'stopping', 'crashed']);

export interface AdmissionParts {
  readonly send: (event: SupervisorCommand) => void;
  readonly stateOf: (plugin: string) => PluginState | undefined;
  /** Milliseconds that a call may wait from the start of launching, stopping or a backoff. */
  readonly hold: number;
}

export interface Admission {
  /**
   * Sends a CALL; resolves with the generation that takes it, or with null when it shall be asked of another instance;
   * rejects with SupervisorError, its fate `not-sent`.
   */
  admit(instance: string, options: Pick<CallOptions, 'signal' | 'startTimeout'>): Promise<number | null>;
  /** Calls that wait for that instance. */
  waiting(instance: string): number;
  /** Sends everybody away who waits for that instance: another one has room. */
  move(instance: string): void;
  admitted(callId: string, generation: number): void;
  rejected(callId: string, failure: Failure): void;
  /** The plugin entered a state: the time of `hold` begins anew there, or ends. */
  entered(plugin: string, state: PluginState): void;
  /** Rejects whatever still waits. */
  close(failure: Failure): void;
}

interface Waiting {
  readonly plugin: string;
  readonly settle: (verdict: { generation: number | null } | { failure: Failure }) => void;
  /** Settles it and tells the machines that nobody waits any more. */
  readonly withdraw: (failure: Failure) => void;
  /** Set when the caller gave no startTimeout of his own. */
  readonly byStage: boolean;
  timer: PatientTimeout | null;
}

export function createAdmission({ send, stateOf, hold }: AdmissionParts): Admission {
  const waiting = new Map<string, Waiting>();
  /** How many wait, by instance. */
  const counts = new Map<string, number>();
  const signals = createAbortListeners();
  let calls = 0;

  const admit: Admission['admit'] = (plugin, { signal, startTimeout }) =>
    new Promise((resolve, reject) => {
      const callId = `c${++calls}`;
      let unlisten: (() => void) | undefined;
      const entry: Waiting = {
        plugin,
        byStage: startTimeout === undefined,
        timer: null,
        settle(verdict) {
          if (!waiting.delete(callId)) return;
          count(plugin, -1);
          entry.timer?.cancel();
          unlisten?.();
          if ('generation' in verdict) resolve(verdict.generation);
          else reject(new SupervisorError(notSent(verdict.failure), pluginOf(plugin)));
        },
        withdraw(failure) {
          if (!waiting.has(callId)) return;
          entry.settle({ failure });
          send({ type: 'traffic', plugin, event: { type: 'call.cancelled', callId } });
        },
      };
      waiting.set(callId, entry);
      count(plugin, 1);
      if (signal?.aborted) return entry.settle({ failure: aborted() });
      unlisten = signal && signals.add(signal, () => entry.withdraw(aborted()));
      if (startTimeout !== undefined && Number.isFinite(startTimeout)) entry.timer = expire(entry, startTimeout);
      if (entry.byStage && HOLDING.has(stateOf(plugin) ?? 'absent')) entry.timer = expire(entry, hold);
      send({ type: 'CALL', plugin, callId });
    });

  function count(instance: string, change: 1 | -1): void {
    const now = (counts.get(instance) ?? 0) + change;
    if (now === 0) counts.delete(instance);
    else counts.set(instance, now);
  }

  const expire = (entry: Waiting, after: number) =>
    setPatientTimeout(() => entry.withdraw(startTimedOut(entry.plugin, after)), timerDelay(after));

  const startTimedOut = (plugin: string, after: number) =>
    createFailure('CALL_START_TIMEOUT', {
      message: `The plugin was not ready after ${after / 1000} s (it is ${stateOf(plugin) ?? 'unknown'}).`,
    });

  return {
    admit,
    waiting: (instance) => counts.get(instance) ?? 0,
    move(instance) {
      if (!counts.has(instance)) return;
      for (const [callId, entry] of [...waiting]) {
        if (entry.plugin !== instance) continue;
        entry.settle({ generation: null });
        send({ type: 'traffic', plugin: instance, event: { type: 'call.cancelled', callId } });
      }
    },
    admitted: (callId, generation) => waiting.get(callId)?.settle({ generation }),
    rejected: (callId, failure) => waiting.get(callId)?.settle({ failure }),
    entered(plugin, state) {
      // Its time began with launching, or in service with the call itself, however often health is told of.
      if (state === 'probing' || state === 'ready' || state === 'idle') return;
      for (const entry of waiting.values()) {
        if (entry.plugin !== plugin || !entry.byStage) continue;
        entry.timer?.cancel();
        entry.timer = HOLDING.has(state) ? expire(entry, hold) : null;
      }
    },
    close(failure) {
      for (const entry of [...waiting.values()]) entry.settle({ failure });
    },
  };
}

const aborted = () => createFailure('CALL_CANCELLED', { message: 'The call was cancelled before it was sent.' });

const notSent = (failure: Failure): Failure => ({ ...failure, data: { ...failure.data, fate: 'not-sent' } });
