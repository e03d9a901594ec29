/**
 * The operating system for random runs: it knows what is alive, lets the scripted actors say only what real ones could,
 * and checks the invariants against what the machines believe.
 */

import type { ProcessEvent } from '../../machines/contracts.ts';
import type { SupervisorCommand } from '../../machines/events.ts';
import { createFailure } from '../../machines/failure.ts';
import type { Stage } from '../../machines/states.ts';
import type { Harness } from '../../src/testing/harness.ts';
import { sampleEnvironment, samplePlanWithCandidates, sampleSpec, sampleSurvey } from '../../src/testing/samples.ts';

/** What can happen to one plugin, with how often: mostly what runs goes on, or nothing would ever become ready. */
export const HAPPENINGS = {
  proceed: 40,
  call: 8,
  time: 5,
  quiet: 4,
  exit: 3,
  fail: 2,
  START: 2,
  STOP: 2,
  RESTART: 2,
  RESET: 1,
  REMOVE: 1,
  ADD: 3,
  withdraw: 2,
  busy: 2,
  drained: 1,
  disconnect: 1,
  health: 4,
  update: 2,
  breach: 1,
  stale: 3,
  break: 2,
} as const;
export type Happening = keyof typeof HAPPENINGS;

/** One run of the process actor, as it really is. */
interface Run {
  spawned: boolean;
  exited: boolean;
}

interface Truth {
  run: Run;
  runs: number;
  /** Generations with something alive. */
  live: Set<number>;
  /** Alive, but given up. */
  left: Set<number>;
  /** Left by a plugin of that name that was removed: absent until a start finds them. */
  inherited: boolean;
  /** Spawns at the time of the last STOP; null once it may start again. */
  spawnsAtStop: number | null;
}

const STAGES: Stage[] = ['cloning', 'detecting', 'installing', 'launching'];
const TIMES = [10, 300, 2_000, 5_000, 31_000, 60_000, 400_000];

export interface WorldOptions {
  readonly slots: { readonly install: number };
  /** Every call goes through the machines; else an open plugin is called past them, and they hear the edge of traffic. */
  readonly trace: boolean;
}

export function createWorld(harness: Harness, names: readonly string[], { slots, trace }: WorldOptions) {
  const truths = new Map<string, Truth>();
  const calls = new Map<string, string>();
  const withdrawn = new Set<string>();
  let closed: Map<string, number> | null = null;

  for (const name of names) harness.add(name);

  function truthOf(name: string): Truth {
    const { process } = harness.plugin(name);
    const truth = truths.get(name) ?? {
      run: { spawned: false, exited: false },
      runs: 0,
      live: new Set<number>(),
      left: new Set<number>(),
      inherited: false,
      spawnsAtStop: null,
    };
    truths.set(name, truth);
    if (truth.runs !== process.inputs.length) {
      truth.runs = process.inputs.length;
      truth.run = { spawned: false, exited: false };
    }
    return truth;
  }

  const generation = (name: string) => harness.plugin(name).process.inputs.at(-1)?.generation ?? 0;
  const send = (command: SupervisorCommand) => harness.send(command);
  const traffic = (name: string, type: 'calls.busy' | 'calls.quiet' | 'calls.drained', of: number) =>
    send({ type: 'traffic', plugin: name, event: { type, generation: of } });

  function exit(name: string, code: number): void {
    const truth = truthOf(name);
    if (!truth.run.spawned || truth.run.exited || !harness.plugin(name).process.running) return;
    truth.run.exited = true;
    harness.plugin(name).process.exit(code);
  }

  function empty(name: string): void {
    const truth = truthOf(name);
    truth.live.delete(generation(name));
    harness.plugin(name).process.empty();
  }

  /** The process actor does what it was told, one step. */
  function proceedProcess(name: string, pick: number): void {
    const { process } = harness.plugin(name);
    const truth = truthOf(name);
    const { run } = truth;
    const told = new Set(process.commands);
    const ending = told.has('input.close') || told.has('signal') || told.has('sweep');
    if (told.has('spawn') && !run.spawned && !run.exited) {
      if (pick === 0) {
        run.exited = true;
        process.failed();
      } else {
        run.spawned = true;
        truth.live.add(generation(name));
        process.spawned();
      }
    } else if (!run.spawned && ending) empty(name);
    else if (run.exited) empty(name);
    else if (told.has('abandon') && pick === 0) {
      truth.live.delete(generation(name));
      truth.left.add(generation(name));
      process.abandoned([1000 + generation(name)]);
    } else if (ending) exit(name, pick % 2);
  }

  function survey(name: string, pick: number): void {
    const truth = truthOf(name);
    const environment = sampleEnvironment({ plan: samplePlanWithCandidates(1 + (pick % 3)) });
    if (pick % 2 === 0) truth.left.clear();
    truth.inherited = false;
    const blocked =
      truth.left.size > 0
        ? createFailure('STOP_ABANDONED', { data: { pids: [...truth.left].map((each) => 1000 + each) } })
        : pick === 7
          ? createFailure('HOME_DISK_FULL')
          : null;
    const stale = STAGES[pick % STAGES.length]!;
    harness.plugin(name).survey.done(sampleSurvey(stale, { blocked, ...(stale === 'launching' && { environment }) }));
  }

  /** Whatever runs goes on by one step. */
  function proceed(name: string, pick: number): void {
    const script = harness.plugin(name);
    const job = [script.clone, script.detect, script.install].find(({ running }) => running);
    if (script.sweep.running) {
      truthOf(name).live.clear();
      truthOf(name).left.clear();
      script.sweep.done();
    } else if (script.survey.running) survey(name, pick);
    else if (job !== undefined) job.cancelled && pick !== 0 ? job.cancel() : job.done();
    else if (script.probe.running && !truthOf(name).run.exited) script.probe.ready();
    else if (script.process.running) proceedProcess(name, pick);
  }

  function fail(name: string, pick: number): void {
    const script = harness.plugin(name);
    const job = [script.clone, script.detect, script.install].find(({ running }) => running);
    if (job !== undefined) job.fail(createFailure(pick === 0 ? 'INSTALL_FAILED' : 'CLONE_NETWORK'));
    else if (script.probe.running) script.probe.fail(undefined, pick % 2 === 0 ? { era: 'modern' } : null);
  }

  /** A bug of ours: survey rejects, or a fact comes without its content. */
  function breakActor(name: string): void {
    const { survey: asked, process } = harness.plugin(name);
    if (asked.running) asked.break();
    else if (process.running && !harness.state(name).startsWith('stopping')) {
      process.say({ type: 'process.exited', generation: generation(name) } as ProcessEvent);
    }
  }

  /** Something an earlier generation said late. */
  function stale(name: string, pick: number): void {
    const old = generation(name) - 1;
    const { process } = harness.plugin(name);
    if (pick % 2 === 0) traffic(name, 'calls.quiet', old);
    else if (process.running) process.say({ type: 'group.empty', generation: old });
  }

  async function happen(what: Happening, name: string, pick: number, callId: string): Promise<void> {
    const truth = truthOf(name);
    switch (what) {
      case 'START':
      case 'RESTART':
        truth.spawnsAtStop = null;
        send({ type: what, plugin: name });
        break;
      case 'STOP':
        send({ type: what, plugin: name });
        truth.spawnsAtStop = spawns(name);
        break;
      case 'RESET':
        send({ type: what, plugin: name });
        break;
      case 'REMOVE':
        send({ type: what, plugin: name });
        break;
      case 'ADD':
        if (harness.state(name) !== 'none' || closed !== null || harness.plugin(name).sweep.running) break;
        truth.spawnsAtStop = null;
        truth.inherited = truth.left.size > 0;
        send({ type: 'ADD', plugin: name, spec: sampleSpec() });
        break;
      case 'call':
        if (!trace && harness.child(name)?.getSnapshot().hasTag('open')) {
          traffic(name, 'calls.busy', harness.context(name).generation);
          break;
        }
        calls.set(callId, name);
        harness.call(name, callId);
        break;
      case 'withdraw': {
        const open = [...calls.keys()].find((each) => calls.get(each) === name && isOpen(each));
        if (open === undefined) break;
        withdrawn.add(open);
        send({ type: 'traffic', plugin: name, event: { type: 'call.cancelled', callId: open } });
        break;
      }
      case 'proceed':
        proceed(name, pick);
        break;
      case 'fail':
        fail(name, pick);
        break;
      case 'exit':
        exit(name, pick % 2);
        break;
      case 'busy':
        traffic(name, 'calls.busy', generation(name));
        break;
      case 'quiet':
        traffic(name, 'calls.quiet', generation(name));
        break;
      case 'drained':
        traffic(name, 'calls.drained', generation(name));
        break;
      case 'disconnect':
        if (!harness.plugin(name).process.running || harness.plugin(name).probe.running) break;
        send({
          type: 'traffic',
          plugin: name,
          event: { type: 'session.closed', generation: generation(name), failure: createFailure('RUN_DISCONNECTED') },
        });
        break;
      case 'health': {
        const { health } = harness.plugin(name);
        if (!health.running) await harness.advance(30_000);
        if (!health.running) break;
        if (pick < 3) health.well();
        else if (pick < 6) health.silent();
        else health.unready();
        break;
      }
      case 'update':
        send({ type: 'UPDATE', plugin: name, spec: sampleSpec(), restarts: pick % 2 === 0 });
        break;
      case 'breach':
        if (!truth.run.spawned || truth.run.exited || !harness.plugin(name).process.running) break;
        harness.plugin(name).process.say({
          type: 'process.breached',
          generation: generation(name),
          failure: createFailure('RUN_LIMIT'),
        });
        break;
      case 'stale':
        stale(name, pick);
        break;
      case 'break':
        breakActor(name);
        break;
      case 'time':
        await harness.advance(TIMES[pick % TIMES.length]!);
        break;
    }
    await harness.settle();
  }

  const spawns = (name: string) => harness.plugin(name).process.spawns;
  const isOpen = (callId: string) => harness.verdicts(callId).length === 0 && !withdrawn.has(callId);
  const isClosed = () => harness.actor.getSnapshot().status === 'done';

  /** Everything that must be true whenever the machines are at rest. */
  function violations(): string[] {
    const found: string[] = [];
    const must = (holds: boolean, what: string) => {
      if (!holds) found.push(what);
    };
    must(harness.errors.length === 0, `the supervisor broke: ${harness.errors.join()}`);
    let working = 0;
    for (const name of names) {
      const truth = truthOf(name);
      const state = harness.state(name);
      const broken = harness.plugin(name).sweep.running;
      must(truth.live.size <= 1, `${name} has the generations ${[...truth.live]} alive`);
      must(truth.live.size === 0 || truth.left.size === 0, `${name} runs beside abandoned processes`);
      if (/^(ready|idle)\b/.test(state)) {
        must(truth.live.has(harness.context(name).generation), `${name} is ${state} without a process of its own`);
        must(!truth.run.exited, `${name} is ${state} though its program has exited`);
      }
      if (state === 'absent.resting' || (state === 'none' && !broken)) {
        must(truth.live.size === 0, `${name} is absent with ${[...truth.live]} alive`);
      }
      if (state === 'absent.resting' && !truth.inherited) {
        must(truth.left.size === 0, `${name} is absent with ${[...truth.left]} left`);
      }
      if (truth.spawnsAtStop !== null) must(spawns(name) === truth.spawnsAtStop, `${name} was started after its STOP`);
      if (closed !== null) must(spawns(name) === closed.get(name), `${name} was started after the close`);
      if (/^(cloning|installing)\.(running|cancelling)$/.test(state)) working += 1;
      if (state !== 'none') must(harness.context(name).held.length <= 3, `${name} holds too many calls`);
    }
    const { queues } = harness.actor.getSnapshot().context;
    for (const name of [queues.install, queues.launch].flatMap(({ holders }) => holders)) {
      must(!/^(absent.resting|crashed|ready|idle|stopping|none)/.test(harness.state(name)), `${name} keeps a slot`);
    }
    if (isClosed()) must(harness.clock.pending() === 0, 'a timer outlives the close');
    must(working <= slots.install, `${working} jobs run with ${slots.install} slots`);
    for (const [callId, name] of calls) {
      const verdicts = harness.verdicts(callId).length;
      must(verdicts <= 1, `${callId} was settled ${verdicts} times`);
      must(verdicts === 0 || !withdrawn.has(callId), `${callId} was settled though withdrawn`);
      if (!isOpen(callId)) continue;
      const held = harness.state(name) !== 'none' && harness.context(name).held.includes(callId);
      must(held || harness.plugin(name).sweep.running, `${callId} is neither settled nor held`);
    }
    return found;
  }

  return {
    happen,
    violations,
    isClosed,
    /** Stops every plugin, with a world that cooperates. */
    async stopAll(): Promise<void> {
      for (const name of names) {
        send({ type: 'STOP', plugin: name });
        truthOf(name).spawnsAtStop = spawns(name);
      }
      await cooperate(() => names.every(isAtRest));
    },
    async close(): Promise<void> {
      closed = new Map(names.map((name) => [name, spawns(name)]));
      send({ type: 'CLOSE' });
      await cooperate(isClosed);
    },
    openCalls: () => [...calls.keys()].filter(isOpen),
  };

  function isAtRest(name: string): boolean {
    const state = harness.state(name);
    if (state === 'none') return !harness.plugin(name).sweep.running;
    return state === 'absent.resting' || (state === 'crashed.parked' && harness.context(name).abandoned.length > 0);
  }

  async function cooperate(until: () => boolean): Promise<void> {
    for (let round = 0; round < 50 && !until(); round += 1) {
      for (const name of names) {
        proceed(name, 1);
        await harness.settle();
      }
      await harness.advance(1_000);
    }
    if (!until()) throw new Error(`no rest: ${names.map((name) => `${name} ${harness.state(name)}`).join(', ')}`);
  }
}
