/** The facade: joins the machines, the broker and what is remembered for people into one object. */

import EventEmitter from 'eventemitter3';
import { createActor } from 'xstate';
import type { OutputLine, Session } from '../actors/context.ts';
import type { PluginSpec } from '../launchers/plan.ts';
import type { SupervisorCommand, SupervisorEmitted } from '../machines/events.ts';

import { defaultRestartPolicy, defaultTiming } from '../machines/policy.ts';
import { type PluginState, stateName, subState } from '../machines/states.ts';
import { createBroker, defaultBrokerTiming, type Exchange } from './broker.ts';
import { composeMachine, createContext, defaultSlots } from './compose.ts';
import { toSpec } from './config.ts';
import { SupervisorError, supervisorError } from './errors.ts';
import { createObserver } from './observe.ts';
import type {
  CallOptions,
  Link,
  PluginOptions,
  PluginStatus,
  Supervisor,
  SupervisorEvents,
  SupervisorOptions,
  ToolResult,
} from './options.ts';
import { showSource } from './source.ts';

/** Methods without an effect: sent again when their fate is unknown. */
const HARMLESS =
  /^(ping|tools\/list|resources\/(list|read|templates\/list)|prompts\/(list|get)|completion\/complete|server\/discover)$/;

/**
 * A supervisor of MCP servers, ready at once: nothing is cloned or started before it is needed. Throws CONFIG_INVALID and
 * CONFIG_SOURCE for what is wrong in the options. Installs no process-wide handler and prints nothing; `close()` it.
 */
export function createSupervisor(options: SupervisorOptions = {}): Supervisor {
  const now = Date.now;
  const specs = new Map<string, PluginSpec>();
  for (const [name, plugin] of Object.entries(options.plugins ?? {}))
    specs.set(name, toSpec(name, plugin, options.defaults));

  const emitter = new EventEmitter<{ [Name in keyof SupervisorEvents]: [SupervisorEvents[Name]] }>();
  const observer = createObserver(now);
  const context = createContext(options, onOutput);
  const { log } = context;
  const timing = { ...defaultTiming, ...options.timing };
  const actor = createActor(composeMachine(context), {
    input: {
      timing,
      restartPolicy: { ...defaultRestartPolicy, ...options.restartPolicy },
      slots: { ...defaultSlots(), ...options.slots },
      now,
      random: Math.random,
    },
    ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
  });
  const child = (name: string) => actor.getSnapshot().children[name];
  const send = (event: SupervisorCommand) => actor.send(event);

  const broker = createBroker({
    send,
    view(name) {
      const snapshot = child(name)?.getSnapshot();
      if (snapshot === undefined) return null;
      return {
        open: snapshot.hasTag('open'),
        generation: snapshot.context.generation,
        state: stateName(snapshot.value),
      };
    },
    instances: context.instances,
    callTimeout: (name) => specs.get(name)?.timeouts.call,
    timing: defaultBrokerTiming,
    trace: options.trace ?? false,
  });

  /** A listener of the user must not break the machine that called it. */
  function announce<Name extends keyof SupervisorEvents>(event: Name, argument: SupervisorEvents[Name]) {
    for (const listener of emitter.listeners(event)) {
      try {
        (listener as (argument: SupervisorEvents[Name]) => void)(argument);
      } catch (error) {
        log.error({ err: error, event }, 'a listener threw');
      }
    }
  }

  function onOutput(line: OutputLine) {
    const entry = observer.printed(line);
    log.debug({ plugin: line.plugin, stream: line.stream }, line.text);
    announce('plugin:log', { plugin: line.plugin, ...entry });
  }

  function onEmitted(event: SupervisorEmitted) {
    if (event.type === 'plugin.entered') {
      const { plugin, state, generation, failure } = event;
      const entry = { at: new Date(now()).toISOString(), state, generation, failure };
      observer.changed(plugin, entry);
      if (failure === null) log.info({ plugin, state, generation }, state);
      else log.warn({ plugin, state, generation, code: failure.code, hint: failure.hint }, failure.message);
      broker.hear(event);
      announce('plugin:state', { plugin, ...entry });
      announce(`plugin:${state}`, { plugin, ...entry });
      return;
    }
    broker.hear(event);
    if (event.type === 'plugin.removed') {
      specs.delete(event.plugin);
      observer.forget(event.plugin);
      announce('plugin:removed', { plugin: event.plugin });
    }
  }

  actor.on('*', onEmitted);
  // Without an error observer XState would end the host's process; a broken root must still leave no plugin behind.
  actor.subscribe({
    error: (error) => {
      log.error({ err: error }, 'the supervisor machine broke; ending every plugin');
      broker.close();
      void endEverything();
    },
  });
  actor.start();
  for (const [plugin, spec] of specs) send({ type: 'ADD', plugin, spec });

  async function endEverything() {
    for (const { process: handle } of context.instances.values()) {
      for (const pid of handle.pids()) {
        try {
          process.kill(pid, 'SIGKILL');
        } catch {
          // already gone
        }
      }
    }
    context.guard.close();
    await context.store.ledger.close();
  }

  function known(name: string): PluginSpec {
    const spec = specs.get(name);
    if (spec !== undefined) return spec;
    const names = [...specs.keys()].join(', ');
    throw supervisorError(
      'CONFIG_UNKNOWN_PLUGIN',
      { message: `There is no plugin '${name}'.`, hint: names === '' ? 'Add one first.' : `Known plugins: ${names}.` },
      name,
    );
  }

  let closing: Promise<void> | null = null;
  const refuseWhenClosing = () => {
    if (closing !== null || actor.getSnapshot().status !== 'active')
      throw supervisorError('INTERNAL_CLOSED', { message: 'The supervisor is closing or closed.' });
  };

  /** Resolves at the first state change (or at once) for which `settled` returns something; rejects when it throws. */
  function until<T>(name: string, settled: () => T | undefined, signal?: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = () => {
        emitter.off('plugin:state', check);
        emitter.off('plugin:removed', check);
        signal?.removeEventListener('abort', abort);
      };
      const abort = () => {
        end();
        reject(supervisorError('CALL_CANCELLED', { message: `Waiting for ${name} was cancelled.` }, name));
      };
      const check = () => {
        try {
          const value = settled();
          if (value === undefined) return;
          end();
          resolve(value);
        } catch (error) {
          end();
          reject(error);
        }
      };
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort, { once: true });
      emitter.on('plugin:state', check);
      emitter.on('plugin:removed', check);
      check();
    });
  }

  /** No process of it is left, and nothing is about to start one. */
  const atRest = (name: string): true | undefined => {
    const snapshot = child(name)?.getSnapshot();
    if (snapshot === undefined) return true;
    const { state, sub } = where(snapshot.value);
    if (state === 'crashed' && snapshot.context.failure?.code === 'STOP_ABANDONED')
      throw new SupervisorError(snapshot.context.failure, name);
    return (state === 'absent' && sub !== 'checking') || (state === 'crashed' && sub === 'parked') || undefined;
  };
  const where = (value: Parameters<typeof stateName>[0]): { state: PluginState; sub: string | null } => ({
    state: stateName(value),
    sub: subState(value),
  });

  function statusOf(name: string): PluginStatus {
    const spec = known(name);
    const snapshot = child(name)?.getSnapshot();
    const observed = observer.of(name);
    const instance = context.instances.get(name);
    const { state, sub } = snapshot === undefined ? { state: 'absent' as const, sub: null } : where(snapshot.value);
    const live = instance !== undefined && instance.generation === snapshot?.context.generation ? instance : undefined;
    const retryAt = snapshot?.context.retryAt ?? null;
    return {
      name,
      state,
      subState: sub,
      since: observed.history.at(-1)?.at ?? new Date(created).toISOString(),
      generation: snapshot?.context.generation ?? 0,
      pid: live?.process.pid ?? null,
      transport: live?.session?.transport ?? null,
      url: live?.session?.url ?? null,
      tools: live?.session?.tools.length ?? null,
      failure: snapshot?.context.failure ?? null,
      retryAt: retryAt === null ? null : new Date(retryAt).toISOString(),
      held: snapshot?.context.held.length ?? 0,
      inFlight: broker.inFlight(name),
      source: showSource(spec.source),
    };
  }
  const created = now();

  async function started(
    name: string,
    given: Pick<CallOptions, 'signal' | 'startTimeout'> = {},
  ): Promise<PluginStatus> {
    const { release } = await broker.hold(name, given);
    release();
    return statusOf(name);
  }

  const exchange = <T>(name: string, given: CallOptions, parts: Exchange<T>): Promise<T> => {
    known(name);
    refuseWhenClosing();
    return broker.exchange(name, parts, given);
  };

  const request = (name: string, method: string, params: unknown, given: CallOptions = {}) =>
    exchange(name, given, {
      send: (session, requestOptions) => session.request(method, params, requestOptions),
      repeatable: () => HARMLESS.test(method),
    });

  const callTool = (name: string, tool: string, args: unknown, given: CallOptions) =>
    exchange(name, given, {
      send: (session, requestOptions) =>
        session.era === null
          ? session.post({ tool, arguments: args ?? {} }, requestOptions)
          : session.request('tools/call', { name: tool, arguments: args ?? {} }, requestOptions),
      repeatable: (session) => mayRepeat(session, tool),
    });

  function call(
    name: string,
    payload: Readonly<Record<string, unknown>>,
    given: CallOptions = {},
  ): Promise<ToolResult> {
    if (typeof payload.tool === 'string')
      return callTool(name, payload.tool, payload.arguments, given) as Promise<ToolResult>;
    return exchange(name, given, {
      send: (session, requestOptions) => {
        if (session.era === null) return session.post(payload, requestOptions);
        if (typeof payload.method === 'string') return session.request(payload.method, payload.params, requestOptions);
        throw supervisorError(
          'CALL_BAD_ARGUMENTS',
          { message: `${name} speaks MCP: the payload must be {tool, arguments} or {method, params}.` },
          name,
        );
      },
      repeatable: () => typeof payload.method === 'string' && HARMLESS.test(payload.method),
    }) as Promise<ToolResult>;
  }

  async function open(name: string, given: CallOptions = {}): Promise<Link> {
    known(name);
    refuseWhenClosing();
    const { session, release } = await broker.hold(name, given);
    let end: (reason: null) => void = () => {};
    const ended = new Promise<null>((resolve) => {
      end = resolve;
    });
    const closed = Promise.race([session.closed, ended]);
    void closed.then(release);
    return {
      plugin: name,
      generation: session.generation,
      transport: session.transport,
      protocolVersion: session.protocolVersion,
      server: session.server,
      get tools() {
        return session.tools;
      },
      request: (method, params, linkOptions = {}) =>
        session.request(method, params, { timeout: defaultBrokerTiming.call, ...linkOptions }),
      notify: (method, params) => session.notify(method, params),
      onMessage: (listener) => session.onMessage(listener),
      closed,
      close: () => end(null),
    };
  }

  async function close(): Promise<void> {
    if (closing !== null) {
      send({ type: 'KILL' });
      return closing;
    }
    closing = (async () => {
      const ended = new Promise<void>((resolve) => {
        if (actor.getSnapshot().status !== 'active') resolve();
        actor.subscribe({ complete: resolve, error: () => resolve() });
      });
      send({ type: 'CLOSE' });
      await ended;
      broker.close();
      context.guard.close();
      await context.store.ledger.close();
      announce('supervisor:closed', undefined);
    })();
    return closing;
  }

  return {
    add(name, plugin: string | PluginOptions) {
      refuseWhenClosing();
      if (specs.has(name))
        throw supervisorError('CONFIG_DUPLICATE', { message: `There is a plugin '${name}' already.` }, name);
      const spec = toSpec(name, plugin, options.defaults);
      specs.set(name, spec);
      send({ type: 'ADD', plugin: name, spec });
    },
    async remove(name) {
      known(name);
      send({ type: 'REMOVE', plugin: name });
      await until(name, () => (specs.has(name) ? undefined : true));
    },
    async start(name, given) {
      known(name);
      refuseWhenClosing();
      send({ type: 'START', plugin: name });
      return started(name, given);
    },
    async stop(name) {
      known(name);
      send({ type: 'STOP', plugin: name });
      await until(name, () => atRest(name));
    },
    async restart(name, given) {
      known(name);
      refuseWhenClosing();
      send({ type: 'RESTART', plugin: name });
      return started(name, given);
    },
    async reset(name) {
      known(name);
      send({ type: 'RESET', plugin: name });
    },
    call: call as Supervisor['call'],
    request,
    async tools(name, given = {}) {
      known(name);
      refuseWhenClosing();
      const { session, release } = await broker.hold(name, given);
      release();
      return session.tools;
    },
    open,
    status: ((name?: string) =>
      name === undefined ? [...specs.keys()].map(statusOf) : statusOf(name)) as Supervisor['status'],
    history(name) {
      known(name);
      return [...observer.of(name).history];
    },
    list: () => [...specs.keys()],
    logs(name) {
      known(name);
      return [...observer.of(name).log];
    },
    on(event, listener) {
      emitter.on(event, listener as never);
      return () => emitter.off(event, listener as never);
    },
    async waitFor(name, state, { signal } = {}) {
      known(name);
      return until(name, () => (statusOf(name).state === state ? statusOf(name) : undefined), signal);
    },
    close,
    [Symbol.asyncDispose]: close,
    actor,
  };
}

/** A tool that says so may be called again when nobody knows whether the first call had its effect. */
function mayRepeat(session: Session, tool: string): boolean {
  const annotations = session.tools.find(({ name }) => name === tool)?.annotations;
  return annotations?.readOnlyHint === true || annotations?.idempotentHint === true;
}
