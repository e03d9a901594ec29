/**
 * Carries calls to plugins. The machines decide whether a call may go; payloads and promises never enter them. A plugin
 * that is ready is called at once, by one look at its snapshot; the machines hear only the edges of traffic. Every call
 * settles exactly once, with its fate.
 */

import type { Instance, RequestOptions, Session } from '../actors/context.ts';
import { createAbortListeners } from '../actors/mcp/abort-listeners.ts';
import { SessionError } from '../actors/mcp/session-error.ts';
import type { SupervisorCommand, SupervisorEmitted, TrafficEvent } from '../machines/events.ts';
import { createFailure, type Failure } from '../machines/failure.ts';
import { timerDelay } from '../machines/policy.ts';
import type { PluginState } from '../machines/states.ts';
import { fromSession, SupervisorError } from './errors.ts';
import type { CallOptions } from './options.ts';

export interface BrokerTiming {
  /** Silence after which `calls.quiet` is said; default 1 s. */
  readonly quiet: number;
  /** How long a held call waits from the start of launching, stopping or a backoff; default 30 s. */
  readonly hold: number;
  /** From writing a request to its answer; default 60 s, the MCP SDKs' own. */
  readonly call: number;
  /** What no progress extends; default 10 min. */
  readonly hardCall: number;
  /** How long a broken connection waits for the exit that explains it; default 300 ms. */
  readonly exit: number;
}

export const defaultBrokerTiming: BrokerTiming = {
  quiet: 1000,
  hold: 30_000,
  call: 60_000,
  hardCall: 600_000,
  exit: 300,
};

/** What the broker needs of the rest. */
export interface BrokerParts {
  readonly send: (event: SupervisorCommand) => void;
  /** The plugin as its snapshot says now; null for an unknown one. */
  readonly view: (
    plugin: string,
  ) => { readonly open: boolean; readonly generation: number; readonly state: PluginState } | null;
  readonly instances: ReadonlyMap<string, Instance>;
  /** `timeouts.call` of a plugin. */
  readonly callTimeout: (plugin: string) => number | undefined;
  readonly timing: BrokerTiming;
  /** Every call goes through the machines as a CALL event. */
  readonly trace: boolean;
}

export interface Exchange<T> {
  readonly send: (session: Session, options: RequestOptions) => Promise<T>;
  /** Whether a call whose fate is unknown may be sent again (tool annotations, list methods). */
  readonly repeatable: (session: Session) => boolean;
}

export interface Hold {
  readonly session: Session;
  readonly release: () => void;
  /** A request over that session begins; call what it returns when it ends. Stopping waits for these, not for the hold. */
  readonly begin: () => () => void;
}

export interface Broker {
  /** Sends when it may, replays at most once and only where that is safe; rejects with SupervisorError. */
  exchange<T>(plugin: string, exchange: Exchange<T>, options: CallOptions): Promise<T>;
  /** Waits for an open session and keeps the plugin from idling until `release`. */
  hold(plugin: string, options: CallOptions): Promise<Hold>;
  /** Every event that the supervisor machine emits. */
  hear(event: SupervisorEmitted): void;
  inFlight(plugin: string): number;
  /** Rejects whatever still waits. */
  close(): void;
}

interface Waiting {
  readonly plugin: string;
  readonly settle: (verdict: { generation: number } | { failure: Failure }) => void;
  /** Set when the caller gave no startTimeout of his own. */
  readonly byStage: boolean;
  timer: NodeJS.Timeout | null;
}

interface Traffic {
  generation: number;
  inFlight: number;
  /** Open links: they keep it from idling, but nothing waits for them. */
  holds: number;
  /** What the machine was told last. */
  busy: boolean;
  lastEnd: number;
  timer: NodeJS.Timeout | null;
}

/** States in which the 30 s of `hold` run; in the others the stage's own deadline rules. */
const HOLDING: ReadonlySet<PluginState> = new Set(['launching', 'stopping', 'crashed']);

export function createBroker(parts: BrokerParts): Broker {
  const { send, view, instances, timing } = parts;
  const waiting = new Map<string, Waiting>();
  const signals = createAbortListeners();
  const traffic = new Map<string, Traffic>();
  const sessions = new Map<string, Session>();
  /** Sessions that no call is given to, until it is known whether their program has exited. */
  const leaving = new WeakMap<Session, Promise<void>>();
  /** Why a session ended, or its plugin left service, unasked. */
  const lost = new WeakMap<Session, Failure>();
  const entered = new Map<string, Set<() => void>>();
  let calls = 0;

  const tell = (plugin: string, event: TrafficEvent) => send({ type: 'traffic', plugin, event });

  // ---- admission: a call that finds the plugin not ready goes through the machines ----

  function admit(plugin: string, options: CallOptions): Promise<number> {
    const callId = `c${++calls}`;
    const { signal, startTimeout } = options;
    return new Promise((resolve, reject) => {
      let unlisten: (() => void) | undefined;
      const withdraw = (failure: Failure) => {
        if (!waiting.has(callId)) return;
        settle({ failure });
        tell(plugin, { type: 'call.cancelled', callId });
      };
      const onAbort = () =>
        withdraw(
          createFailure('CALL_CANCELLED', {
            message: 'The call was cancelled before it was sent.',
            data: { fate: 'not-sent' },
          }),
        );
      const settle: Waiting['settle'] = (verdict) => {
        const entry = waiting.get(callId);
        if (entry === undefined) return;
        waiting.delete(callId);
        if (entry.timer !== null) clearTimeout(entry.timer);
        unlisten?.();
        if ('generation' in verdict) resolve(verdict.generation);
        else reject(new SupervisorError(verdict.failure, plugin));
      };
      const entry: Waiting = { plugin, settle, byStage: startTimeout === undefined, timer: null };
      waiting.set(callId, entry);
      if (signal?.aborted) return onAbort();
      unlisten = signal && signals.add(signal, onAbort);
      const expire = (after: number) => setTimeout(() => withdraw(startTimedOut(plugin, after)), timerDelay(after));
      if (startTimeout !== undefined && Number.isFinite(startTimeout)) entry.timer = expire(startTimeout);
      if (entry.byStage && HOLDING.has(view(plugin)?.state ?? 'absent')) entry.timer = expire(timing.hold);
      send({ type: 'CALL', plugin, callId });
    });
  }

  const startTimedOut = (plugin: string, after: number) =>
    createFailure('CALL_START_TIMEOUT', {
      message: `${plugin} was not ready after ${after / 1000} s (it is ${view(plugin)?.state ?? 'unknown'}).`,
      data: { fate: 'not-sent' },
    });

  function restartHoldTimers(plugin: string, state: PluginState) {
    if (state === 'probing') return; // its 30 s began with launching
    for (const [callId, entry] of waiting) {
      if (entry.plugin !== plugin || !entry.byStage) continue;
      if (entry.timer !== null) clearTimeout(entry.timer);
      entry.timer = HOLDING.has(state)
        ? setTimeout(() => {
            entry.settle({ failure: startTimedOut(plugin, timing.hold) });
            tell(plugin, { type: 'call.cancelled', callId });
          }, timing.hold)
        : null;
    }
  }

  // ---- the gate: one look at the snapshot ----

  function openSession(plugin: string, generation?: number): Session | null {
    const seen = view(plugin);
    if (seen === null || !seen.open || (generation !== undefined && seen.generation !== generation)) return null;
    const instance = instances.get(plugin);
    const session = instance?.generation === seen.generation ? instance.session : null;
    return session !== null && session !== undefined && !leaving.has(session) ? session : null;
  }

  async function session(plugin: string, options: CallOptions): Promise<Session> {
    for (let tries = 0; ; tries++) {
      if (!parts.trace || tries > 0) {
        const open = openSession(plugin);
        if (open !== null) return open;
      }
      const broken = sessions.get(plugin);
      const gone = broken && leaving.get(broken);
      if (gone !== undefined) await gone;
      const generation = await admit(plugin, options);
      const open = openSession(plugin, generation);
      if (open !== null) return open;
      if (tries === 8) {
        const failure = createFailure('RUN_DISCONNECTED', { generation, data: { fate: 'not-sent' } });
        throw new SupervisorError(failure, plugin);
      }
    }
  }

  /**
   * A broken connection is usually the first sign of an exit: the exit is waited for, so that it can be named. When none
   * follows, a session that has ended is reported; one that lost no more than one exchange (an HTTP server may reset a
   * connection at will) is used again, because the calls beside it are well.
   */
  function awaitExit(plugin: string, session: Session): Promise<void> {
    let gone = leaving.get(session);
    if (gone === undefined) {
      const { generation } = session;
      const stillOpen = () => view(plugin)?.open === true && view(plugin)?.generation === generation;
      gone = new Promise<void>((resolve) => {
        const listeners = entered.get(plugin) ?? new Set();
        entered.set(plugin, listeners);
        const done = () => {
          if (stillOpen()) return;
          clearTimeout(timer);
          listeners.delete(done);
          resolve();
        };
        const timer = setTimeout(() => {
          const failure = lost.get(session);
          if (failure === undefined) leaving.delete(session);
          else tell(plugin, { type: 'session.closed', generation, failure });
          listeners.delete(done);
          resolve();
        }, timing.exit);
        listeners.add(done);
        done();
      });
      leaving.set(session, gone);
    }
    return gone;
  }

  // ---- traffic: only its edges reach the machines ----

  function begin(plugin: string, generation: number, kind: 'inFlight' | 'holds' = 'inFlight'): () => void {
    let entry = traffic.get(plugin);
    if (entry === undefined || entry.generation !== generation) entry = watch(plugin, generation, false);
    const current = entry;
    current[kind]++;
    if (!current.busy) {
      current.busy = true;
      tell(plugin, { type: 'calls.busy', generation });
      schedule(plugin, current, timing.quiet);
    }
    return () => {
      if (--current[kind] > 0) return;
      current.lastEnd = performance.now();
      if (kind === 'inFlight' && traffic.get(plugin) === current && view(plugin)?.state === 'stopping')
        tell(plugin, { type: 'calls.drained', generation });
    };
  }

  function watch(plugin: string, generation: number, busy: boolean): Traffic {
    const old = traffic.get(plugin);
    if (old?.timer) clearTimeout(old.timer);
    const entry: Traffic = { generation, inFlight: 0, holds: 0, busy, lastEnd: performance.now(), timer: null };
    traffic.set(plugin, entry);
    if (busy) schedule(plugin, entry, timing.quiet);
    return entry;
  }

  /** One timer per busy plugin, looked at once per `quiet`, rather than one set and cleared per call. */
  function schedule(plugin: string, entry: Traffic, delay: number) {
    entry.timer = setTimeout(() => {
      if (traffic.get(plugin) !== entry) return;
      const silence = performance.now() - entry.lastEnd;
      const used = entry.inFlight > 0 || entry.holds > 0;
      if (used || silence < timing.quiet) {
        schedule(plugin, entry, used ? timing.quiet : Math.max(timing.quiet - silence, 1));
        return;
      }
      entry.busy = false;
      entry.timer = null;
      tell(plugin, { type: 'calls.quiet', generation: entry.generation });
    }, delay).unref();
  }

  // ---- the call ----

  async function exchange<T>(
    plugin: string,
    { send: perform, repeatable }: Exchange<T>,
    options: CallOptions,
  ): Promise<T> {
    const timeout = options.timeout ?? parts.callTimeout(plugin) ?? timing.call;
    const requestOptions: RequestOptions = {
      timeout,
      hardTimeout: Math.max(timeout, timing.hardCall),
      signal: options.signal,
      onProgress: options.onProgress,
    };
    for (let replayed = false; ; replayed = true) {
      const open = (!parts.trace && openSession(plugin)) || (await session(plugin, options));
      const end = begin(plugin, open.generation);
      try {
        return await perform(open, requestOptions);
      } catch (error) {
        if (!(error instanceof SessionError)) throw error;
        const { failure, fate } = error;
        if (failure.code !== 'CALL_INTERRUPTED') throw fromSession(error, plugin);
        const gone = awaitExit(plugin, open);
        const safe = fate === 'not-sent' || (fate === 'sent-unknown' && repeatable(open));
        if (safe && !replayed && !options.signal?.aborted) {
          await gone;
          continue;
        }
        // Of a broken HTTP exchange it is not known yet whether the program has died of it.
        if (failure.exit === null && open.transport !== 'stdio') await gone;
        const { exit, stderrTail } = failure.exit === null ? (lost.get(open) ?? failure) : failure;
        throw fromSession(new SessionError({ ...failure, exit, stderrTail }, fate, { cause: error }), plugin);
      } finally {
        end();
      }
    }
  }

  async function hold(plugin: string, options: CallOptions): Promise<Hold> {
    const open = await session(plugin, options);
    const release = begin(plugin, open.generation, 'holds');
    return { session: open, release, begin: () => begin(plugin, open.generation) };
  }

  function hear(event: SupervisorEmitted) {
    switch (event.type) {
      case 'call.admitted':
        waiting.get(event.callId)?.settle({ generation: event.generation });
        return;
      case 'call.rejected':
        waiting
          .get(event.callId)
          ?.settle({ failure: { ...event.failure, data: { ...event.failure.data, fate: 'not-sent' } } });
        return;
      case 'plugin.removed':
        forget(event.plugin, createFailure('CALL_INTERRUPTED', { message: `${event.plugin} was removed.` }));
        return;
      case 'plugin.entered':
        onEntered(event.plugin, event.state, event.generation, event.failure);
    }
  }

  function onEntered(plugin: string, state: PluginState, generation: number, failure: Failure | null) {
    if (state === 'ready') {
      const instance = instances.get(plugin);
      if (instance?.session && instance.generation === generation && sessions.get(plugin) !== instance.session) {
        const opened = instance.session;
        sessions.set(plugin, opened);
        watch(plugin, generation, true);
        void opened.closed.then((reason) => {
          if (reason === null) return;
          lost.set(opened, reason);
          void awaitExit(plugin, opened);
        });
      }
    }
    const current = sessions.get(plugin);
    if (state === 'stopping' && failure !== null && current?.generation === generation && !lost.has(current)) {
      lost.set(current, failure);
    }
    if (state === 'stopping' && (traffic.get(plugin)?.inFlight ?? 0) === 0)
      tell(plugin, { type: 'calls.drained', generation });
    if (state === 'absent' || state === 'crashed' || state === 'launching') {
      forget(plugin, failure ?? createFailure('CALL_INTERRUPTED', { message: `${plugin} was stopped.`, generation }));
    }
    restartHoldTimers(plugin, state);
    for (const listener of [...(entered.get(plugin) ?? [])]) listener();
  }

  function forget(plugin: string, reason: Failure) {
    sessions.get(plugin)?.close(reason);
    sessions.delete(plugin);
    const entry = traffic.get(plugin);
    if (entry?.timer) clearTimeout(entry.timer);
    traffic.delete(plugin);
  }

  return {
    exchange,
    hold,
    hear,
    inFlight: (plugin) => traffic.get(plugin)?.inFlight ?? 0,
    close() {
      for (const entry of [...waiting.values()]) entry.settle({ failure: createFailure('INTERNAL_CLOSED') });
      for (const plugin of [...sessions.keys()]) forget(plugin, createFailure('INTERNAL_CLOSED'));
    },
  };
}
