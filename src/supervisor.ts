/** The facade: joins the machines, the broker and what is remembered for people into one object. */

import { type ActorRefFrom, createActor } from 'xstate';
import type { ActorContext, OutputLine } from '../actors/context.ts';
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
import { checkOptions, toSpec } from './config.ts';
import { configure } from './configure.ts';
import { SupervisorError, supervisorError } from './errors.ts';
import type { CallOptions, PluginOptions, PluginStatus, Supervisor, SupervisorOptions } from './options.ts';
import { printableLine } from './printable.ts';
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
  const { instances } = context;
  const root = () => actor.getSnapshot().context;
  const chronicle = createChronicle({ actorOf, root, instances, files });
  const { meter } = chronicle;

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
    instances,
    answered: meter.answered,
    lateReplies: meter.lateReplies,
    message(plugin, generation, { id, method, params }) {
      if (id === undefined && method !== undefined) {
        announce('plugin:message', { plugin, generation, method, params });
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
    announce('plugin:log', { plugin: line.plugin, ...entry });
  }

  function onEmitted(event: SupervisorEmitted) {
    broker.hear(event);
    if (event.type === 'plugin.entered') {
      const { plugin, state, generation, failure } = event;
      const entry = chronicle.entered(event);
      if (failure === null) log.info({ plugin, state, generation }, state);
      else log.warn({ plugin, state, generation, code: failure.code, hint: failure.hint }, failure.message);
      announce('plugin:state', { plugin, ...entry });
      announce(`plugin:${state}`, { plugin, ...entry });
      // Whether it is tried again is decided within this tick, right after this was told.
      if (state === 'crashed') queueMicrotask(() => tellParked(plugin));
    }
    if (event.type === 'call.rejected') meter.rejected(event.plugin);
    if (event.type === 'plugin.removed') {
      specs.delete(event.plugin);
      chronicle.removed(event.plugin);
      announce('plugin:removed', { plugin: event.plugin });
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
      since: chronicle.since(name),
      inFlight: broker.inFlight(name),
      explained: chronicle.explain(name),
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
    const swept = () => memberOf(root(), name)?.broken == null;
    const generationOf = () => snapshotOf(name)?.context.generation ?? 0;
    const before = generationOf();
    // A start that was asked for meanwhile begins at once when nothing is left of this one: then it is never at rest.
    const isOver = () => (swept() && isAtRest(snapshotOf(name))) || generationOf() > before || isClosed();
    await until(emitter, () => isOver() || undefined, { isClosed });
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
    // A supervisor that closes stops it as well, and says nothing of its removal.
    await until(emitter, () => specs.get(name) !== spec || isClosed() || undefined, { isClosed });
  }

  function admit(name: string) {
    known(name);
    refuseWhenClosing();
  }

  return {
    ...createCalls(broker, admit, log, meter),
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
      await remove(name);
    },
    async configure(plugins, defaults = options.defaults) {
      refuseWhenClosing();
      const wanted = Object.entries(plugins).map(([name, plugin]) => [name, toSpec(name, plugin, defaults)] as const);
      const isLeaving = (name: string) => memberOf(root(), name)?.removing === true;
      return configure({ specs, send, remove, isLeaving, refuseWhenClosing }, new Map(wanted));
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
    metrics: () => [...specs.keys()].map((name) => chronicle.metrics(name, broker.inFlight(name))),
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
