/** Harnesses whose transitions count for the coverage test at the end of `machines.test.ts`. */

import { createActor, setup } from 'xstate';
import type { PluginSpec } from '../../launchers/plan.ts';
import type { ProcessEvent } from '../../machines/contracts.ts';
import type { PluginEvent, PluginReport } from '../../machines/events.ts';
import type { PluginInput } from '../../machines/plugin/context.ts';
import { pluginMachine } from '../../machines/plugin.ts';
import { defaultTiming } from '../../machines/policy.ts';
import { stateName, subState } from '../../machines/states.ts';
import { createTestClock } from '../../src/testing/clock.ts';
import { createHarness, type Harness, type HarnessOptions } from '../../src/testing/harness.ts';
import { sampleSpec, sampleSurvey } from '../../src/testing/samples.ts';
import { createScriptedActors } from '../../src/testing/scripted.ts';
import { createCoverage } from '../model/coverage.ts';

export const coverage = createCoverage();

/** Supervisor and plugins. */
export const createCovered = (options: HarnessOptions = {}) => createHarness({ ...options, inspect: coverage.inspect });

/** One plugin machine under a parent that only records: every decision of a supervisor is the test's own. */
export function createPlugin(spec: Partial<PluginSpec> = {}, input: Partial<PluginInput> = {}) {
  const clock = createTestClock();
  const actors = createScriptedActors();
  const reports: PluginReport[] = [];
  const parent = setup({ actors: { plugin: pluginMachine.provide({ actors: { ...actors.plugin } }) } }).createMachine({
    invoke: {
      id: 'plugin',
      src: 'plugin',
      // Health is not asked unless a test is about it.
      input: {
        plugin: 'a',
        spec: sampleSpec(spec),
        generation: 0,
        timing: { ...defaultTiming, liveness: null },
        ...input,
      },
    },
    on: { '*': { actions: ({ event }) => reports.push(event as PluginReport) } },
  });
  const actor = createActor(parent, { clock, inspect: coverage.inspect });
  actor.subscribe({ error() {} });
  actor.start();
  const child = actor.getSnapshot().children.plugin!;
  return {
    ...actors.of('a'),
    clock,
    reports,
    send: (event: PluginEvent) => child.send(event),
    call: (callId: string) => child.send({ type: 'CALL', callId }),
    settle: () => new Promise<void>((resolve) => setImmediate(resolve)),
    /** Fires the next timer. */
    timePasses: () => clock.advance((clock.next() ?? clock.now()) - clock.now()),
    snapshot: () => child.getSnapshot(),
    context: () => child.getSnapshot().context,
    state() {
      const { value } = child.getSnapshot();
      const leaf = subState(value);
      return leaf === null ? stateName(value) : `${stateName(value)}.${leaf}`;
    },
    entered: () => reports.flatMap((report) => (report.type === 'plugin.entered' ? [report.state] : [])),
    verdicts: (callId: string) => reports.filter((report) => 'callId' in report && report.callId === callId),
  };
}

export type Plugin = ReturnType<typeof createPlugin>;

/** Sub-states in the order of a first start; `reach` goes along it. */
export async function reach(plugin: Plugin, state: string): Promise<Plugin> {
  const steps: Record<string, () => void> = {
    'absent.resting': () => plugin.send({ type: 'START' }),
    'absent.checking': () =>
      plugin.survey.done(sampleSurvey(state.startsWith('installing') ? 'cloning' : firstStage(state))),
    'cloning.queued': () => plugin.send({ type: 'slot.granted', slot: 'install' }),
    'cloning.running': () => (state === 'cloning.cancelling' ? plugin.send({ type: 'RESTART' }) : plugin.clone.done()),
    'detecting.running': () =>
      state === 'detecting.cancelling' ? plugin.send({ type: 'RESTART' }) : plugin.detect.done(),
    'installing.running': () => plugin.send({ type: 'RESTART' }),
    'launching.queued': () => plugin.send({ type: 'slot.granted', slot: 'launch' }),
    'launching.running': () => plugin.process.spawned(),
    probing: () => (state.startsWith('crashed') ? plugin.probe.fail() : plugin.probe.ready()),
    ready: () =>
      state === 'idle'
        ? plugin.send({ type: 'calls.quiet', generation: plugin.context().generation })
        : plugin.send({ type: 'RESTART' }),
    'stopping.draining': () => plugin.timePasses(),
    'stopping.closing': () => (state.startsWith('crashed') ? plugin.process.empty() : plugin.timePasses()),
    'stopping.terminating': () => plugin.timePasses(),
    'stopping.killing': () => plugin.timePasses(),
    'crashed.waiting': () => plugin.send({ type: 'retry.parked', trialAt: null }),
  };
  for (let taken = 0; plugin.state() !== state; taken += 1) {
    const next = steps[plugin.state()];
    if (next === undefined || taken > 20) throw new Error(`no way from ${plugin.state()} to ${state}`);
    next();
    await plugin.settle();
    // Without health checks their timer ends at once, with nothing done.
    plugin.clock.advance(0);
  }
  return plugin;
}

const firstStage = (state: string) =>
  state.startsWith('cloning') || state.startsWith('detecting') ? 'cloning' : 'launching';

/** Plugins that are ready, in that order. */
export async function ready(...names: string[]): Promise<Harness> {
  const harness = createCovered();
  for (const name of names) {
    harness.add(name);
    harness.send({ type: 'START', plugin: name });
    await harness.walk(name, 'ready');
  }
  return harness;
}

export const status = (harness: Harness) => harness.actor.getSnapshot().status;

/** Facts without their content, which no process actor sends: the machine breaks on them, as on any bug of ours. */
export function breakActor(harness: Harness, plugin: string): void {
  const type = harness.state(plugin).startsWith('stopping') ? 'group.abandoned' : 'process.exited';
  const { generation } = harness.context(plugin);
  harness.plugin(plugin).process.say({ type, generation } as ProcessEvent);
}
