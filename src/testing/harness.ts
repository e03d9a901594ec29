/** The real machines over scripted actors and a clock that stands still: everything decided, nothing done. */

import { type ActorRefFrom, createActor, type InspectionEvent } from 'xstate';
import type { PluginSpec } from '../../launchers/plan.ts';
import type { CallVerdict, SupervisorCommand, SupervisorEmitted } from '../../machines/events.ts';
import type { PluginContext } from '../../machines/plugin/context.ts';
import { type PluginMachine, pluginMachine } from '../../machines/plugin.ts';
import {
  type Bounds,
  defaultBounds,
  defaultRestartPolicy,
  defaultTiming,
  type RestartPolicy,
  type Timing,
} from '../../machines/policy.ts';
import { stateName, subState } from '../../machines/states.ts';
import { type SupervisorMachine, supervisorMachine } from '../../machines/supervisor.ts';
import { createTestClock, type TestClock } from './clock.ts';
import { sampleSpec } from './samples.ts';
import { createScriptedActors, type PluginScript } from './scripted.ts';

export interface HarnessOptions {
  /** Default: the product's, without health checks (`liveness: null`). */
  readonly timing?: Partial<Timing>;
  readonly restartPolicy?: Partial<RestartPolicy>;
  readonly bounds?: Partial<Bounds>;
  /** Default 8 each. */
  readonly slots?: { readonly install: number; readonly launch: number };
  /** Default () => 0.5: no jitter. */
  readonly random?: () => number;
  readonly inspect?: (event: InspectionEvent) => void;
}

export interface Harness {
  readonly clock: TestClock;
  readonly actor: ActorRefFrom<SupervisorMachine>;
  /** Everything that the supervisor emitted, oldest first. */
  readonly emitted: readonly SupervisorEmitted[];
  /** Errors of the supervisor itself; always empty unless it has a bug. */
  readonly errors: readonly unknown[];
  send(command: SupervisorCommand): void;
  /** Adds a plugin and gives its doubles. */
  add(plugin: string, spec?: Partial<PluginSpec>): PluginScript;
  call(plugin: string, callId: string): void;
  plugin(plugin: string): PluginScript;
  /** `ready`, or with its leaf `stopping.draining`; `none` for a plugin without an actor. */
  state(plugin: string): string;
  context(plugin: string): PluginContext;
  child(plugin: string): ActorRefFrom<PluginMachine> | undefined;
  /** Verdicts of one call; a call is settled when there is one. */
  verdicts(callId: string): readonly CallVerdict[];
  /** Lets promises settle. */
  settle(): Promise<void>;
  /** Lets time pass, with promises settling at every timer on the way. */
  advance(ms: number): Promise<void>;
  /** Lets whatever runs succeed until the plugin has that state. */
  walk(plugin: string, to: string): Promise<void>;
}

/** Longest walk: checking, three jobs, two launch steps, and room. */
const MAX_STEPS = 20;

export function createHarness(options: HarnessOptions = {}): Harness {
  const clock = createTestClock();
  const actors = createScriptedActors();
  const emitted: SupervisorEmitted[] = [];
  const errors: unknown[] = [];
  const machine = supervisorMachine.provide({
    actors: { plugin: pluginMachine.provide({ actors: { ...actors.plugin } }), sweep: actors.sweep },
  });
  const actor = createActor(machine, {
    clock,
    input: {
      timing: { ...defaultTiming, liveness: null, ...options.timing },
      restartPolicy: { ...defaultRestartPolicy, ...options.restartPolicy },
      bounds: { ...defaultBounds, ...options.bounds },
      slots: options.slots ?? { install: 8, launch: 8 },
      now: clock.now,
      random: options.random ?? (() => 0.5),
    },
    ...(options.inspect === undefined ? {} : { inspect: options.inspect }),
  });
  actor.on('*', (event) => emitted.push(event));
  actor.subscribe({ error: (error) => errors.push(error) });
  actor.start();

  const child = (plugin: string) => actor.getSnapshot().children[plugin] as ActorRefFrom<PluginMachine> | undefined;
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

  /** One success of whatever waits for one. */
  function step(plugin: string): void {
    const { survey, clone, detect, install, process, probe } = actors.of(plugin);
    if (survey.running) survey.done();
    else if (clone.running) clone.done();
    else if (detect.running) detect.done();
    else if (install.running) install.done();
    else if (probe.running) probe.ready();
    else if (harness.state(plugin) === 'launching.running') process.spawned();
    else if (harness.state(plugin).startsWith('stopping')) process.empty();
    else throw new Error(`nothing to do for ${plugin} in ${harness.state(plugin)}`);
  }

  const harness: Harness = {
    clock,
    actor,
    emitted,
    errors,
    send: (command) => actor.send(command),
    add(plugin, spec = {}) {
      actor.send({ type: 'ADD', plugin, spec: sampleSpec(spec) });
      return actors.of(plugin);
    },
    call: (plugin, callId) => actor.send({ type: 'CALL', plugin, callId }),
    plugin: actors.of,
    state(plugin) {
      const snapshot = child(plugin)?.getSnapshot();
      if (snapshot === undefined) return 'none';
      const [name, leaf] = [stateName(snapshot.value), subState(snapshot.value)];
      return leaf === null ? name : `${name}.${leaf}`;
    },
    context(plugin) {
      const ref = child(plugin);
      if (ref === undefined) throw new Error(`${plugin} has no actor`);
      return ref.getSnapshot().context;
    },
    child,
    verdicts: (callId) => emitted.filter((event): event is CallVerdict => 'callId' in event && event.callId === callId),
    settle,
    async advance(ms) {
      const end = clock.now() + ms;
      for (let next = clock.next(); next !== null && next <= end; next = clock.next()) {
        clock.advance(next - clock.now());
        await settle();
      }
      clock.advance(end - clock.now());
    },
    async walk(plugin, to) {
      await settle();
      for (let steps = 0; harness.state(plugin) !== to; steps += 1) {
        if (steps === MAX_STEPS) throw new Error(`${plugin} stays in ${harness.state(plugin)} on its way to ${to}`);
        step(plugin);
        await settle();
      }
    },
  };
  return harness;
}
