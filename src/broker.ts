/**
 * Carries calls to plugins. The machines decide whether a call may go; payloads and promises never enter them. A plugin
 * that is ready is called at once, by one look at its snapshot; the machines hear only the edges of traffic. Every call
 * settles exactly once, with its fate.
 */

import type { Instance, JsonRpcMessage, RequestOptions, Session } from '../actors/context.ts';
import { pluginOf } from '../actors/instance-name.ts';
import { SessionError } from '../actors/mcp/session-error.ts';
import type { SupervisorCommand, SupervisorEmitted, TrafficEvent } from '../machines/events.ts';
import { createFailure, type Failure, type FailureCode } from '../machines/failure.ts';
import type { PluginState } from '../machines/states.ts';
import { createAdmission } from './admission.ts';
import { fromSession, SupervisorError, supervisorError } from './errors.ts';
import { createExits } from './exits.ts';
import type { CallOptions } from './options.ts';
import { createTraffic } from './traffic.ts';

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

/** What is left of the caller's patience. */
function shortened(options: CallOptions, began: number): CallOptions {
  const { startTimeout } = options;
  if (startTimeout === undefined) return options;
  return { ...options, startTimeout: Math.max(0, startTimeout - (performance.now() - began)) };
}

/** Of a call that waits: no other instance would change it. */
const FINAL: readonly FailureCode[] = ['CALL_CANCELLED', 'CALL_START_TIMEOUT', 'INTERNAL_CLOSED'];
/** States in which an instance that takes no call will take none for a while. */
const UNWELL: readonly PluginState[] = ['ready', 'idle', 'stopping', 'crashed'];

/** What the broker needs of the rest. */
export interface BrokerParts {
  readonly send: (event: SupervisorCommand) => void;
  /** The instance as its snapshot says now; null for an unknown one. */
  readonly view: (
    instance: string,
  ) => { readonly open: boolean; readonly generation: number; readonly state: PluginState } | null;
  readonly instances: ReadonlyMap<string, Instance>;
  /**
   * The instance of a plugin that takes a call now, with `avoid` only where there is no other; may throw SupervisorError.
   * Default: the one that is called like the plugin.
   */
  readonly route?: (plugin: string, options: CallOptions, avoid: string | null) => string;
  /** Instances beside this one that would take its calls as well. */
  readonly besides?: (instance: string) => readonly string[];
  /** `timeouts.call` of a plugin. */
  readonly callTimeout: (plugin: string) => number | undefined;
  readonly timing: BrokerTiming;
  /** A request was answered, so many milliseconds after it was sent. */
  readonly answered?: (plugin: string, milliseconds: number, result: unknown) => void;
  /** A server said something that belongs to no request. */
  readonly message?: (instance: string, generation: number, message: JsonRpcMessage) => void;
  /** A session has ended, with so many answers that nobody waited for. */
  readonly lateReplies?: (instance: string, count: number) => void;
  /** Every call goes through the machines as a CALL event. */
  readonly trace: boolean;
}

export interface Exchange<T> {
  readonly send: (session: Session, options: RequestOptions) => Promise<T>;
  /** Whether a call whose fate is unknown may be sent again (tool annotations, list methods). */
  readonly repeatable: (session: Session) => boolean;
}

export interface Hold {
  readonly instance: string;
  readonly session: Session;
  readonly release: () => void;
  /** A request over that session begins; call what it returns when it ends. Stopping waits for these, not for the hold. */
  readonly begin: () => () => void;
}

export interface Broker {
  /** Sends when it may, replays at most once and only where that is safe; rejects with SupervisorError. */
  exchange<T>(plugin: string, exchange: Exchange<T>, options: CallOptions): Promise<T>;
  /** Waits for an open session and keeps it from idling until `release`. */
  hold(plugin: string, options: CallOptions): Promise<Hold>;
  /** What a session is told of a call. */
  requestOptions(plugin: string, options: CallOptions): RequestOptions;
  /** Every event that the supervisor machine emits. */
  hear(event: SupervisorEmitted): void;
  inFlight(instance: string): number;
  /** Calls that it works on, and calls that wait for it. */
  load(instance: string): number;
  /** A link to it is open. */
  isHeld(instance: string): boolean;
  /** When its last use ended, by `performance.now`; 0: never. */
  lastUse(instance: string): number;
  /** Rejects whatever still waits. */
  close(): void;
}

export function createBroker(parts: BrokerParts): Broker {
  const { send, view, instances, timing, route = (plugin) => plugin } = parts;
  const sessions = new Map<string, Session>();

  const tell = (plugin: string, event: TrafficEvent) => send({ type: 'traffic', plugin, event });
  const exits = createExits({ view, tell, patience: timing.exit });
  const admission = createAdmission({ send, stateOf: (plugin) => view(plugin)?.state, hold: timing.hold });
  const traffic = createTraffic({
    tell,
    // Asked at the end of every call: an open gate says it without the state's name.
    isStopping: (plugin) => {
      const seen = view(plugin);
      return seen?.open === false && seen.state === 'stopping';
    },
    quiet: timing.quiet,
  });

  /** The instance that the caller asks for, none of another plugin; else the one that the plugin's calls go to now. */
  function choose(plugin: string, options: CallOptions, avoid: string | null): string {
    const { instance } = options;
    if (instance === undefined) return route(plugin, options, avoid);
    if (pluginOf(instance) === plugin) return instance;
    const message = `${plugin} has no instance ${instance}.`;
    throw supervisorError('CONFIG_UNKNOWN_PLUGIN', { message, data: { fate: 'not-sent' } }, plugin);
  }

  // ---- the gate: one look at the snapshot ----

  function openSession(plugin: string, generation?: number): Session | null {
    const seen = view(plugin);
    if (seen === null || !seen.open || (generation !== undefined && seen.generation !== generation)) return null;
    const instance = instances.get(plugin);
    const session = instance?.generation === seen.generation ? instance.session : null;
    return session !== null && session !== undefined && exits.awaited(session) === undefined ? session : null;
  }

  /** Asks for an open session until there is one; another instance is asked when the first can't be had and that one can. */
  async function session(
    plugin: string,
    options: CallOptions,
    failed: string | null,
  ): Promise<{ readonly instance: string; readonly session: Session }> {
    const began = performance.now();
    let avoid = failed;
    let refused = false;
    for (let tries = 0; ; tries++) {
      let instance = choose(plugin, options, avoid);
      if (!parts.trace || tries > 0) {
        const open = openSession(instance);
        if (open !== null) return { instance, session: open };
      }
      const broken = sessions.get(instance);
      const gone = broken && exits.awaited(broken);
      if (gone !== undefined) {
        await gone;
        instance = choose(plugin, options, avoid);
      }
      let generation: number | null;
      try {
        generation = await admission.admit(instance, tries === 0 ? options : shortened(options, began));
      } catch (error) {
        if (refused || !mayGoElsewhere(error, instance, choose(plugin, options, instance))) throw error;
        refused = true;
        avoid = instance;
        continue;
      }
      const open = generation === null ? null : openSession(instance, generation);
      if (open !== null) return { instance, session: open };
      if (generation !== null && tries >= 8) {
        const failure = createFailure('RUN_DISCONNECTED', { generation, data: { fate: 'not-sent' } });
        throw new SupervisorError(failure, plugin);
      }
    }
  }

  /** That one refused it: another one of the pool is well, or on its way. */
  function mayGoElsewhere(error: unknown, instance: string, other: string): boolean {
    if (!SupervisorError.is(error) || FINAL.includes(error.code)) return false;
    const state = view(other)?.state;
    return other !== instance && state !== undefined && state !== 'crashed' && state !== 'stopping';
  }

  // ---- the call ----

  function requestOptionsOf(plugin: string, options: CallOptions): RequestOptions {
    const timeout = options.timeout ?? parts.callTimeout(plugin) ?? timing.call;
    return {
      timeout,
      hardTimeout: Math.max(timeout, timing.hardCall),
      signal: options.signal,
      onProgress: options.onProgress,
      onRequest: options.onRequest,
      onNotification: options.onNotification,
      caller: options.caller ?? options.session,
    };
  }

  async function exchange<T>(
    plugin: string,
    { send: perform, repeatable }: Exchange<T>,
    options: CallOptions,
  ): Promise<T> {
    const requestOptions = requestOptionsOf(plugin, options);
    let failed: string | null = null;
    for (;;) {
      let instance = choose(plugin, options, failed);
      let open = parts.trace ? null : openSession(instance);
      if (open === null) ({ instance, session: open } = await session(plugin, options, failed));
      const end = traffic.begin(instance, open.generation, 'calls');
      try {
        const sent = performance.now();
        const result = await perform(open, requestOptions);
        parts.answered?.(plugin, performance.now() - sent, result);
        return result;
      } catch (error) {
        if (!(error instanceof SessionError)) throw error;
        const { failure, fate } = error;
        if (failure.code !== 'CALL_INTERRUPTED') throw fromSession(error, plugin);
        const gone = exits.wait(instance, open);
        const safe = fate === 'not-sent' || (fate === 'sent-unknown' && repeatable(open));
        if (safe && failed === null && !options.signal?.aborted) {
          failed = instance;
          // Where another one can take it, nothing need be known of this one first.
          if (choose(plugin, options, failed) === instance) await gone;
          continue;
        }
        // Of a broken HTTP exchange it is not known yet whether the program has died of it.
        if (failure.exit === null && open.transport !== 'stdio') await gone;
        const { exit, stderrTail } = failure.exit === null ? (exits.whyLost(open) ?? failure) : failure;
        throw fromSession(new SessionError({ ...failure, exit, stderrTail }, fate, { cause: error }), plugin);
      } finally {
        end();
      }
    }
  }

  async function hold(plugin: string, options: CallOptions): Promise<Hold> {
    const { instance, session: open } = await session(plugin, options, null);
    const release = traffic.begin(instance, open.generation, 'holds');
    return { instance, session: open, release, begin: () => traffic.begin(instance, open.generation, 'calls') };
  }

  function hear(event: SupervisorEmitted) {
    switch (event.type) {
      case 'call.admitted':
        return admission.admitted(event.callId, event.generation);
      case 'call.rejected':
        return admission.rejected(event.callId, event.failure);
      case 'plugin.removed':
        return forget(event.plugin, createFailure('CALL_INTERRUPTED', { message: 'The plugin was removed.' }));
      case 'plugin.entered':
        return onEntered(event.plugin, event.state, event.generation, event.failure);
    }
  }

  function onEntered(plugin: string, state: PluginState, generation: number, failure: Failure | null) {
    if (state === 'ready') {
      const instance = instances.get(plugin);
      if (instance?.session && instance.generation === generation && sessions.get(plugin) !== instance.session) {
        const opened = instance.session;
        sessions.set(plugin, opened);
        traffic.watch(plugin, generation);
        if (parts.message !== undefined) opened.onMessage((message) => parts.message?.(plugin, generation, message));
        void opened.closed.then((reason) => {
          if (reason === null) return;
          exits.lost(opened, reason);
          void exits.wait(plugin, opened);
        });
      }
    }
    const current = sessions.get(plugin);
    if (state === 'stopping' && failure !== null && current?.generation === generation) {
      if (exits.whyLost(current) === undefined) exits.lost(current, failure);
    }
    if (state === 'stopping' && traffic.inFlight(plugin) === 0) tell(plugin, { type: 'calls.drained', generation });
    if (state === 'absent' || state === 'crashed' || state === 'launching') {
      forget(plugin, failure ?? createFailure('CALL_INTERRUPTED', { message: 'The plugin was stopped.', generation }));
    }
    admission.entered(plugin, state);
    if (state === 'ready' && failure === null) takeOver(plugin);
    exits.entered(plugin);
  }

  /** It is well: those who wait for one beside it that is not about to be may go to it. */
  function takeOver(instance: string): void {
    for (const other of parts.besides?.(instance) ?? []) {
      const seen = view(other);
      if (seen !== null && !seen.open && UNWELL.includes(seen.state)) admission.move(other);
    }
  }

  function forget(plugin: string, reason: Failure) {
    const session = sessions.get(plugin);
    session?.close(reason);
    const late = session?.lateReplies?.() ?? 0;
    if (late > 0) parts.lateReplies?.(plugin, late);
    sessions.delete(plugin);
    traffic.forget(plugin);
  }

  return {
    exchange,
    hold,
    requestOptions: requestOptionsOf,
    hear,
    inFlight: traffic.inFlight,
    load: (instance) => traffic.inFlight(instance) + admission.waiting(instance),
    isHeld: traffic.isHeld,
    lastUse: traffic.lastUse,
    close() {
      admission.close(createFailure('INTERNAL_CLOSED'));
      for (const plugin of [...sessions.keys()]) forget(plugin, createFailure('INTERNAL_CLOSED'));
    },
  };
}
