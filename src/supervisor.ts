/** The facade: joins the machines, the broker and what is remembered for people into one object. */

import { createActor } from 'xstate';
import type { ActorContext, OutputLine } from '../actors/context.ts';
import type { PluginSpec } from '../launchers/plan.ts';
import type { SupervisorCommand, SupervisorEmitted } from '../machines/events.ts';
import { defaultRestartPolicy, defaultTiming } from '../machines/policy.ts';
import { PLUGIN_STATES, stateName } from '../machines/states.ts';
import { memberOf } from '../machines/supervisor/context.ts';
import { createAnnouncer } from './announcer.ts';
import { createBroker, defaultBrokerTiming } from './broker.ts';
import { createCalls } from './calls.ts';
import { composeMachine, createContext, defaultSlots } from './compose.ts';
import { checkOptions, toSpec } from './config.ts';
import { SupervisorError, supervisorError } from './errors.ts';
import { createObserver } from './observe.ts';
import type { CallOptions, PluginOptions, PluginStatus, Supervisor, SupervisorOptions } from './options.ts';
import { isAtRest, type PluginSnapshot, toStatus } from './status.ts';
import { until } from './wait.ts';

/**
 * A supervisor of MCP servers, ready at once: nothing is cloned or started before it is needed. Throws CONFIG_INVALID and
 * CONFIG_SOURCE for what is wrong in the options. Installs no process-wide handler and prints nothing; `close()` it.
 */
export function createSupervisor(options: SupervisorOptions = {}): Supervisor {
  checkOptions(options);
  const specs = new Map<string, PluginSpec>();
  for (const [name, plugin] of Object.entries(options.plugins ?? {}))
    specs.set(name, toSpec(name, plugin, options.defaults));

  const createdAt = new Date().toISOString();
  const { emitter, announce, on } = createAnnouncer((err, event) =>
    context.log.error({ err, event }, 'a listener threw'),
  );
  const observer = createObserver(Date.now);
  const context = createContext(options, onOutput);
  const { log } = context;
  const actor = createActor(composeMachine(context), {
    input: {
      timing: { ...defaultTiming, ...options.timing },
      restartPolicy: { ...defaultRestartPolicy, ...options.restartPolicy },
      slots: { ...defaultSlots(), ...options.slots },
      now: steadyClock(),
      random: Math.random,
    },
    ...(options.inspect === undefined ? {} : { inspect: inspectWith(options.inspect) }),
  });
  const isClosed = () => actor.getSnapshot().status !== 'active';
  const send = (event: SupervisorCommand) => {
    if (!isClosed()) actor.send(event);
  };
  // A child under a plugin's name is that plugin's actor; sweeps have ids of their own.
  const snapshotOf = (name: string) => {
    const { children } = actor.getSnapshot();
    // Own names only: a plugin may be called `constructor`.
    return Object.hasOwn(children, name) ? (children[name]?.getSnapshot() as PluginSnapshot | undefined) : undefined;
  };

  const broker = createBroker({
    send,
    view(name) {
      const snapshot = snapshotOf(name);
      if (snapshot === undefined) return null;
      return {
        open: snapshot.hasTag('open'),
        generation: snapshot.context.generation,
        // Asked only off the hot path.
        get state() {
          return stateName(snapshot.value);
        },
      };
    },
    instances: context.instances,
    callTimeout: (name) => specs.get(name)?.timeouts.call,
    timing: defaultBrokerTiming,
    trace: options.trace ?? false,
  });

  // ---- what happens, for whoever listens ----

  /** XState lets an inspector's error out wherever it happens to be, in the middle of a transition too. */
  function inspectWith(inspect: NonNullable<SupervisorOptions['inspect']>): typeof inspect {
    return (event) => {
      try {
        inspect(event);
      } catch (error) {
        log.error({ err: error }, 'the inspector threw');
      }
    };
  }

  function onOutput(line: OutputLine) {
    const entry = observer.printed(line);
    log.debug({ plugin: line.plugin, stream: line.stream }, line.text);
    announce('plugin:log', { plugin: line.plugin, ...entry });
  }

  function onEmitted(event: SupervisorEmitted) {
    broker.hear(event);
    if (event.type === 'plugin.entered') {
      const { plugin, state, generation, failure } = event;
      const entry = { at: new Date().toISOString(), state, generation, failure };
      observer.changed(plugin, entry);
      if (failure === null) log.info({ plugin, state, generation }, state);
      else log.warn({ plugin, state, generation, code: failure.code, hint: failure.hint }, failure.message);
      announce('plugin:state', { plugin, ...entry });
      announce(`plugin:${state}`, { plugin, ...entry });
    }
    if (event.type === 'plugin.removed') {
      specs.delete(event.plugin);
      observer.forget(event.plugin);
      announce('plugin:removed', { plugin: event.plugin });
    }
  }

  actor.on('*', onEmitted);
  // Without an error observer XState would end the host's process; a broken root must still leave no plugin behind.
  actor.subscribe({
    error(error) {
      log.error({ err: error }, 'the supervisor machine broke; ending every plugin');
      broker.close();
      void releaseAll(context);
    },
  });
  actor.start();
  for (const [plugin, spec] of specs) send({ type: 'ADD', plugin, spec });

  // ---- what callers may ask ----

  let closing: Promise<void> | null = null;

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

  function refuseWhenClosing() {
    if (closing === null && !isClosed()) return;
    throw supervisorError('INTERNAL_CLOSED', { message: 'The supervisor is closing or closed.' });
  }

  const statusOf = (name: string): PluginStatus =>
    toStatus({
      name,
      spec: known(name),
      snapshot: snapshotOf(name),
      instance: context.instances.get(name),
      since: observer.last(name)?.at ?? createdAt,
      inFlight: broker.inFlight(name),
    });

  /** Sends a command that makes it start, and waits for ready as a call does. */
  async function startBy(
    type: 'START' | 'RESTART',
    name: string,
    waiting: Pick<CallOptions, 'signal' | 'startTimeout'> = {},
  ) {
    known(name);
    refuseWhenClosing();
    if (waiting.signal?.aborted) throw supervisorError('CALL_CANCELLED', { message: 'The start was cancelled.' }, name);
    send({ type, plugin: name });
    const { release } = await broker.hold(name, waiting);
    release();
    return statusOf(name);
  }

  async function stop(name: string) {
    known(name);
    send({ type: 'STOP', plugin: name });
    // While it is swept up after a bug of ours it has no actor, yet perhaps a process.
    const swept = () => memberOf(actor.getSnapshot().context, name)?.broken == null;
    await until(emitter, () => (swept() && isAtRest(snapshotOf(name))) || isClosed() || undefined, { isClosed });
    const failure = snapshotOf(name)?.context.failure;
    if (failure?.code === 'STOP_ABANDONED') throw new SupervisorError(failure, name);
  }

  async function closeAll() {
    if (!isClosed()) {
      const ended = new Promise<void>((resolve) => {
        actor.subscribe({ complete: resolve, error: () => resolve() });
      });
      send({ type: 'CLOSE' });
      await ended;
    }
    broker.close();
    await releaseAll(context);
    announce('supervisor:closed', undefined);
  }

  function close(): Promise<void> {
    if (closing !== null) send({ type: 'KILL' });
    closing ??= closeAll();
    return closing;
  }

  function admit(name: string) {
    known(name);
    refuseWhenClosing();
  }

  return {
    ...createCalls(broker, admit, log),
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
      // A supervisor that closes stops it as well, and says nothing of its removal.
      await until(emitter, () => !specs.has(name) || isClosed() || undefined, { isClosed });
    },
    start: (name, waiting) => startBy('START', name, waiting),
    restart: (name, waiting) => startBy('RESTART', name, waiting),
    stop,
    async reset(name) {
      known(name);
      send({ type: 'RESET', plugin: name });
    },
    status: ((name?: string) =>
      name === undefined ? [...specs.keys()].map(statusOf) : statusOf(name)) as Supervisor['status'],
    list: () => [...specs.keys()],
    history(name) {
      known(name);
      return observer.history(name);
    },
    logs(name) {
      known(name);
      return observer.log(name);
    },
    on,
    async waitFor(name, state, { signal } = {}) {
      if (!PLUGIN_STATES.includes(state)) {
        throw supervisorError('CONFIG_INVALID', {
          message: `'${state}' is no state of a plugin; expected ${PLUGIN_STATES.join(', ')}.`,
        });
      }
      return until(
        emitter,
        () => {
          const status = statusOf(name);
          return status.state === state ? status : undefined;
        },
        { signal, isClosed },
      );
    },
    close,
    [Symbol.asyncDispose]: close,
    actor,
  };
}

/** Epoch milliseconds that never jump: a clock that is set back or forth must not restart or park anything. */
function steadyClock(): () => number {
  const origin = Date.now() - performance.now();
  return () => origin + performance.now();
}

/** Ends whatever may still live (nothing, unless the machines broke) and lets go of the guard and the ledger. */
async function releaseAll({ instances, guard, store }: ActorContext) {
  for (const { process: handle } of instances.values()) {
    for (const pid of handle.pids()) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone already.
      }
    }
  }
  guard.close();
  await store.ledger.close();
}
