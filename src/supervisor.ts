/** The facade: joins the machines, the broker and what is remembered for people into one object. */

import { type ActorRefFrom, createActor } from 'xstate';
import type { ActorContext, OutputLine } from '../actors/context.ts';
import { pluginOf } from '../actors/instance-name.ts';
import { type PatientTimeout, setPatientTimeout } from '../actors/patient-timeout.ts';
import { createLogFiles } from '../actors/store/log-files.ts';
import type { PluginSpec } from '../launchers/plan.ts';
import type { SupervisorCommand, SupervisorEmitted } from '../machines/events.ts';
import type { pluginMachine } from '../machines/plugin.ts';
import { defaultRestartPolicy, defaultTiming } from '../machines/policy.ts';
import { PLUGIN_STATES, stateName, subState } from '../machines/states.ts';
import { memberOf } from '../machines/supervisor/context.ts';
import { createAnnouncer } from './announcer.ts';
import { createBroker, defaultBrokerTiming } from './broker.ts';
import { createCalls } from './calls.ts';
import { createChronicle } from './chronicle.ts';
import { composeMachine, createContext, defaultSlots } from './compose.ts';
import { catalogKey, checkOptions, toSpec } from './config.ts';
import { configure } from './configure.ts';
import { supervisorError, unknownPlugin } from './errors.ts';
import { createInstances } from './instances.ts';
import { instanceIn } from './observe.ts';
import type { CallOptions, PluginOptions, PluginStatus, Supervisor, SupervisorOptions } from './options.ts';
import { printableLine } from './printable.ts';
import { createStartStop } from './start-stop.ts';
import { type PluginSnapshot, toStatus, toStatusOfAll } from './status.ts';
import { createToolFilters } from './tool-filter.ts';
import { until } from './wait.ts';

/**
 * A supervisor of MCP servers, ready at once: nothing is cloned or started before it is needed. Throws CONFIG_INVALID and
 * CONFIG_SOURCE for what is wrong in the options. Installs no process-wide handler and prints nothing; `close()` it.
 */
export function createSupervisor(options: SupervisorOptions = {}): Supervisor {
  checkOptions(options);
  const specs = new Map<string, PluginSpec>();
  const fingerprints = new WeakMap<PluginSpec, string>();
  for (const [name, plugin] of Object.entries(options.plugins ?? {}))
    specs.set(name, toSpec(name, plugin, options.defaults));

  const { emitter, announce, on } = createAnnouncer((err, event) =>
    context.log.error({ err, event }, 'a listener threw'),
  );
  const context = createContext(options, onOutput);
  const { log, store } = context;
  const files =
    options.logFiles === false
      ? null
      : createLogFiles({ pathOf: store.logFile, open: store.open, withLock: store.withLock, log, show: printableLine });
  const actor = createActor(composeMachine(context), {
    clock: patientClock,
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
    if (isClosed()) return;
    chronicle.asked(event);
    actor.send(event);
  };
  // A child under a plugin's name is that plugin's actor; sweeps have ids of their own.
  const actorOf = (name: string) => {
    const { children } = actor.getSnapshot();
    // Own names only: a plugin may be called `constructor`.
    return Object.hasOwn(children, name)
      ? (children[name] as ActorRefFrom<typeof pluginMachine> | undefined)
      : undefined;
  };
  const snapshotOf = (name: string): PluginSnapshot | undefined => actorOf(name)?.getSnapshot();
  const { instances: live } = context;
  const root = () => actor.getSnapshot().context;
  const chronicle = createChronicle({
    actorOf,
    root,
    instances: live,
    isHeld: (instance) => broker.isHeld(instance),
    files,
  });
  const { meter } = chronicle;
  const filterOf = createToolFilters();
  const shown = (name: string) => filterOf(specs.get(name)?.tools);
  const instances = createInstances({
    specOf: (name) => specs.get(name),
    send,
    view(instance) {
      const snapshot = snapshotOf(instance);
      if (snapshot === undefined) return null;
      return {
        open: snapshot.hasTag('open'),
        get state() {
          return stateName(snapshot.value);
        },
        get subState() {
          return subState(snapshot.value);
        },
        stopped: snapshot.context.stopped,
      };
    },
    load: (instance) => broker.load(instance),
    isHeld: (instance) => broker.isHeld(instance),
    lastUse: (instance) => broker.lastUse(instance),
  });

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
    instances: live,
    route: instances.route,
    besides: (instance) => {
      const plugin = pluginOf(instance);
      if (specs.get(plugin)?.instances?.kind !== 'pool') return [];
      return [plugin, ...instances.others(plugin)].filter((other) => other !== instance);
    },
    answered: meter.answered,
    lateReplies: (instance, count) => meter.lateReplies(pluginOf(instance), count),
    message(instance, generation, { id, method, params }) {
      if (id === undefined && method !== undefined) {
        const plugin = pluginOf(instance);
        announce('plugin:message', { plugin, generation, method, params, ...instanceIn(instance) });
      }
    },
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
    const entry = chronicle.printed(line);
    log.debug({ plugin: line.plugin, stream: line.stream }, line.text);
    announce('plugin:log', { plugin: pluginOf(line.plugin), ...entry });
  }

  function onEmitted(event: SupervisorEmitted) {
    broker.hear(event);
    if (event.type === 'plugin.entered') {
      const { plugin: instance, state, generation, failure } = event;
      const plugin = pluginOf(instance);
      const entry = chronicle.entered(event);
      const who = { plugin, ...instanceIn(instance) };
      if (failure === null) log.info({ ...who, state, generation }, state);
      else log.warn({ ...who, state, generation, code: failure.code, hint: failure.hint }, failure.message);
      announce('plugin:state', { plugin, ...entry });
      announce(`plugin:${state}`, { plugin, ...entry });
      // Whether it is tried again is decided within this tick, right after this was told.
      if (state === 'crashed') queueMicrotask(() => tellParked(instance));
      instances.entered(instance, state, failure);
    }
    if (event.type === 'call.rejected') meter.rejected(pluginOf(event.plugin));
    if (event.type === 'plugin.removed') {
      const plugin = pluginOf(event.plugin);
      const isLast = instances.removed(event.plugin);
      chronicle.removed(event.plugin, isLast);
      if (!isLast) return void emitter.emit('instance:removed');
      specs.delete(plugin);
      announce('plugin:removed', { plugin });
    }
  }

  function tellParked(plugin: string) {
    const snapshot = snapshotOf(plugin);
    if (snapshot === undefined || subState(snapshot.value) !== 'parked') return;
    const { generation, failure, trialAt } = snapshot.context;
    const retryAt = trialAt === null ? null : new Date(trialAt).toISOString();
    const next = retryAt === null ? 'only `start` tries it again' : `one more start may be tried from ${retryAt} on`;
    log.error({ plugin, generation, code: failure?.code, retryAt }, `${plugin} is parked: ${next}`);
  }

  actor.on('*', onEmitted);
  // Without an error observer XState would end the host's process; a broken root must still leave no plugin behind.
  actor.subscribe({
    error(error) {
      log.error({ err: error }, 'the supervisor machine broke; ending every plugin');
      broker.close();
      releaseAll(context).catch((err: unknown) => log.error({ err }, 'the ledger could not be closed'));
    },
  });
  actor.start();
  for (const [plugin, spec] of specs) add(plugin, spec);

  // ---- what callers may ask ----

  const starting = createStartStop({ send, instances, broker, snapshotOf, root, emitter, isClosed });

  let closing: Promise<void> | null = null;

  function known(name: string): PluginSpec {
    const spec = specs.get(name);
    if (spec !== undefined) return spec;
    throw unknownPlugin(name, [...specs.keys()], 'Add one first.');
  }

  function refuseWhenClosing() {
    if (closing === null && !isClosed()) return;
    throw supervisorError('INTERNAL_CLOSED', { message: 'The supervisor is closing or closed.' });
  }

  function add(plugin: string, spec: PluginSpec) {
    send({ type: 'ADD', plugin, spec });
    instances.added(plugin);
  }

  const statusOfInstance = (name: string, instance: string): PluginStatus =>
    toStatus({
      name: instance,
      spec: known(name),
      snapshot: snapshotOf(instance),
      instance: live.get(instance),
      since: chronicle.since(instance),
      inFlight: broker.inFlight(instance),
      explained: chronicle.explain(instance),
      shows: shown(name),
    });

  function statusOf(name: string): PluginStatus {
    const first = statusOfInstance(name, name);
    const [, ...others] = instances.of(name);
    if (others.length === 0 && (specs.get(name)?.instances?.kind ?? 'shared') === 'shared') return first;
    return toStatusOfAll(name, [first, ...others.map((instance) => statusOfInstance(name, instance))]);
  }

  async function startBy(
    type: 'START' | 'RESTART',
    name: string,
    waiting: Pick<CallOptions, 'signal' | 'startTimeout'> = {},
  ) {
    known(name);
    refuseWhenClosing();
    await starting.start(type, name, waiting);
    return statusOf(name);
  }

  async function closeAll() {
    instances.close();
    if (!isClosed()) {
      const ended = new Promise<void>((resolve) => {
        actor.subscribe({ complete: resolve, error: () => resolve() });
      });
      send({ type: 'CLOSE' });
      await ended;
    }
    broker.close();
    try {
      await releaseAll(context);
    } finally {
      await files?.close();
      announce('supervisor:closed', undefined);
    }
  }

  function close(): Promise<void> {
    if (closing !== null) send({ type: 'KILL' });
    closing ??= closeAll();
    return closing;
  }

  async function remove(name: string) {
    // Whoever hears of its removal may add another one of that name at once.
    const spec = specs.get(name);
    send({ type: 'REMOVE', plugin: name });
    instances.commanded(name, 'REMOVE');
    // A supervisor that closes stops it as well, and says nothing of its removal.
    await until(emitter, () => specs.get(name) !== spec || isClosed() || undefined, { isClosed });
  }

  function admit(name: string) {
    known(name);
    refuseWhenClosing();
  }

  return {
    ...createCalls(broker, admit, log, meter, shown),
    add(name, plugin: string | PluginOptions) {
      refuseWhenClosing();
      if (specs.has(name))
        throw supervisorError('CONFIG_DUPLICATE', { message: `There is a plugin '${name}' already.` }, name);
      const spec = toSpec(name, plugin, options.defaults);
      specs.set(name, spec);
      add(name, spec);
      announce('plugin:configured', { plugin: name });
    },
    async remove(name) {
      known(name);
      await remove(name);
    },
    async configure(plugins, defaults = options.defaults) {
      refuseWhenClosing();
      const wanted = Object.entries(plugins).map(([name, plugin]) => [name, toSpec(name, plugin, defaults)] as const);
      const isLeaving = (name: string) => instances.isLeaving(name) || memberOf(root(), name)?.removing === true;
      const parts = { specs, send, remove, isLeaving, changed: instances.configured, refuseWhenClosing };
      const changes = await configure(parts, new Map(wanted));
      for (const plugin of [...changes.added, ...changes.restarted, ...changes.updated])
        announce('plugin:configured', { plugin });
      return changes;
    },
    start: (name, waiting) => startBy('START', name, waiting),
    restart: (name, waiting) => startBy('RESTART', name, waiting),
    async stop(name) {
      known(name);
      await starting.stop(name);
    },
    async reset(name) {
      known(name);
      send({ type: 'RESET', plugin: name });
      instances.commanded(name, 'RESET');
    },
    endSession: (session, { grace = SESSION_GRACE } = {}) => instances.endSession(session, grace),
    status: ((name?: string) =>
      name === undefined ? [...specs.keys()].map(statusOf) : statusOf(name)) as Supervisor['status'],
    list: () => [...specs.keys()],
    history(name) {
      known(name);
      return chronicle.history(name);
    },
    logs(name) {
      known(name);
      return chronicle.log(name);
    },
    logFile(name) {
      known(name);
      return store.logFile(name);
    },
    catalogFile(name) {
      known(name);
      return store.catalogFile(name);
    },
    fingerprint(name) {
      const spec = known(name);
      const fingerprint = fingerprints.get(spec) ?? catalogKey(spec);
      fingerprints.set(spec, fingerprint);
      return fingerprint;
    },
    metrics: () => [...specs.keys()].map((name) => chronicle.metrics(name, statusOf(name), instances.of(name))),
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

/** A client that lost its connection for a moment comes back within this, in milliseconds. */
const SESSION_GRACE = 5_000;

/** No deadline of a plugin passes while we ourselves stood still and what it said waits to be read. */
const patientClock = {
  setTimeout: (work: () => void, ms: number) => setPatientTimeout(work, ms),
  clearTimeout: (timeout: PatientTimeout) => timeout.cancel(),
};

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
