/** Doubles of every actor: they do nothing until a test says what happened. */

import { fromCallback, fromPromise } from 'xstate';
import type { LaunchPlan } from '../../launchers/plan.ts';
import type {
  Attempt,
  Checkout,
  CloneInput,
  DetectInput,
  Environment,
  Health,
  HealthInput,
  InstallInput,
  JobCommand,
  JobEnded,
  JobResult,
  PluginActors,
  ProbeEvent,
  ProbeInput,
  ProcessCommand,
  ProcessEvent,
  ProcessInput,
  Survey,
  SurveyInput,
  SweepActor,
  SweepInput,
} from '../../machines/contracts.ts';
import { createFailure, type Exit, type Failure } from '../../machines/failure.ts';
import { createPromised, createRuns } from './runs.ts';
import { sampleCheckout, sampleEnvironment, samplePlan, sampleSurvey } from './samples.ts';

/** Common to all: what runs now, and what it was given. Telling something that doesn't run is an error of the test. */
export interface Scripted<Input> {
  /** True between its start and the machine's leaving it. */
  readonly running: boolean;
  /** Inputs of every run so far. */
  readonly inputs: readonly Input[];
}

export interface ScriptedSurvey extends Scripted<SurveyInput> {
  /** Default: nothing is stale. */
  done(survey?: Survey): void;
  /** Rejects: a bug of the actor. */
  break(): void;
}

export interface ScriptedJob<Input, Value> extends Scripted<Input> {
  /** Whether the running one was told to cancel. */
  readonly cancelled: boolean;
  done(value?: Value): void;
  fail(failure?: Failure): void;
  /** Ends as cancelled. */
  cancel(): void;
}

type Exited = Extract<ProcessEvent, { type: 'process.exited' }>;

export interface ScriptedProcess extends Scripted<ProcessInput> {
  /** What the machine told the running one. */
  readonly commands: readonly ProcessCommand['type'][];
  /** How often a program was to be spawned, over all runs. */
  readonly spawns: number;
  /** Generations with something alive: from `spawned` to `empty`. */
  readonly live: readonly number[];
  spawned(pid?: number): void;
  failed(failure?: Failure): void;
  /** The leader is gone. */
  exit(exit: number | Partial<Exit>, details?: Partial<Pick<Exited, 'cause' | 'stderrTail'>>): void;
  empty(): void;
  abandoned(pids: readonly number[]): void;
  /** Any fact, e.g. one of an earlier generation. */
  say(event: ProcessEvent): void;
}

type Ready = Extract<ProbeEvent, { type: 'probe.ready' }>;

export interface ScriptedProbe extends Scripted<ProbeInput> {
  ready(details?: Partial<Omit<Ready, 'type'>>): void;
  listening(port?: number): void;
  fail(failure?: Failure, retry?: Partial<Attempt> | null): void;
  say(event: ProbeEvent): void;
}

export interface ScriptedSweep extends Scripted<SweepInput> {
  done(): void;
  break(): void;
}

export interface ScriptedHealth extends Scripted<HealthInput> {
  well(): void;
  /** Not answered. */
  silent(failure?: Failure): void;
  /** Answered that it is not ready. */
  unready(failure?: Failure): void;
}

/** The doubles of one plugin. */
export interface PluginScript {
  readonly survey: ScriptedSurvey;
  readonly clone: ScriptedJob<CloneInput, Checkout>;
  readonly detect: ScriptedJob<DetectInput, LaunchPlan>;
  readonly install: ScriptedJob<InstallInput, Environment>;
  readonly process: ScriptedProcess;
  readonly probe: ScriptedProbe;
  readonly health: ScriptedHealth;
  readonly sweep: ScriptedSweep;
}

export interface ScriptedActors {
  /** For `pluginMachine.provide`. */
  readonly plugin: PluginActors;
  /** For `supervisorMachine.provide`. */
  readonly sweep: SweepActor;
  /** The doubles of the plugin of that name. */
  of(plugin: string): PluginScript;
}

function createJobScript<Input, Value>(job: JobEnded['job'], usual: () => Value) {
  interface Run {
    readonly sendBack: (event: JobEnded) => void;
    cancelled: boolean;
  }
  const runs = createRuns<Input, Run>(job);
  const end = (result: JobResult<Value>) => runs.handle().sendBack({ type: 'job.ended', job, result } as JobEnded);
  const script: ScriptedJob<Input, Value> = {
    get running() {
      return runs.isRunning();
    },
    inputs: runs.inputs,
    get cancelled() {
      return runs.handle().cancelled;
    },
    done: (value = usual()) => end({ status: 'done', value }),
    fail: (failure = createFailure('CLONE_NETWORK')) => end({ status: 'failed', failure }),
    cancel: () => end({ status: 'cancelled' }),
  };
  const run = (input: Input, sendBack: Run['sendBack'], receive: (listener: (command: JobCommand) => void) => void) => {
    const handle: Run = { sendBack, cancelled: false };
    receive(() => {
      handle.cancelled = true;
    });
    return runs.begin(input, handle);
  };
  return { script, run };
}

function createProcessScript() {
  interface Run {
    readonly sendBack: (event: ProcessEvent) => void;
    readonly commands: ProcessCommand['type'][];
  }
  const runs = createRuns<ProcessInput, Run>('process');
  let live: number[] = [];
  let spawns = 0;
  const say = (event: ProcessEvent) => {
    if (event.type === 'process.spawned') live.push(event.generation);
    if (event.type === 'group.empty') live = live.filter((generation) => generation !== event.generation);
    runs.handle().sendBack(event);
  };
  const generation = () => runs.input().generation;
  const script: ScriptedProcess = {
    get running() {
      return runs.isRunning();
    },
    inputs: runs.inputs,
    get commands() {
      return runs.handle().commands;
    },
    get spawns() {
      return spawns;
    },
    get live() {
      return live;
    },
    spawned: (pid = 1000 + generation()) => say({ type: 'process.spawned', generation: generation(), pid }),
    failed: (failure = createFailure('LAUNCH_SPAWN')) =>
      say({ type: 'process.failed', generation: generation(), failure }),
    exit: (exit, { cause = null, stderrTail = [] } = {}) =>
      say({
        type: 'process.exited',
        generation: generation(),
        exit: typeof exit === 'number' ? { code: exit, signal: null } : { code: null, signal: null, ...exit },
        stderrTail,
        cause,
      }),
    empty: () => say({ type: 'group.empty', generation: generation() }),
    abandoned: (pids) => say({ type: 'group.abandoned', generation: generation(), pids }),
    say,
  };
  const run = (
    input: ProcessInput,
    sendBack: Run['sendBack'],
    receive: (listener: (command: ProcessCommand) => void) => void,
  ) => {
    const handle: Run = { sendBack, commands: [] };
    receive(({ type }) => {
      handle.commands.push(type);
      if (type === 'spawn') spawns += 1;
    });
    return runs.begin(input, handle);
  };
  return { script, run };
}

function createProbeScript() {
  const runs = createRuns<ProbeInput, (event: ProbeEvent) => void>('probe');
  const say = (event: ProbeEvent) => runs.handle()(event);
  const generation = () => runs.input().generation;
  const script: ScriptedProbe = {
    get running() {
      return runs.isRunning();
    },
    inputs: runs.inputs,
    ready: (details = {}) =>
      say({
        type: 'probe.ready',
        generation: generation(),
        transport: 'stdio',
        era: 'legacy',
        protocolVersion: '2025-06-18',
        port: null,
        tools: 1,
        ...details,
      }),
    listening: (port = 3000) => say({ type: 'probe.listening', generation: generation(), port }),
    fail: (failure = createFailure('PROBE_PROTOCOL'), retry = null) =>
      say({ type: 'probe.failed', generation: generation(), failure, retry }),
    say,
  };
  return { script, run: runs.begin };
}

function createPluginScript() {
  const survey = createPromised<SurveyInput, Survey>('survey');
  const sweep = createPromised<SweepInput, void>('sweep');
  const health = createPromised<HealthInput, Health>('health');
  const clone = createJobScript<CloneInput, Checkout>('clone', sampleCheckout);
  const detect = createJobScript<DetectInput, LaunchPlan>('detect', samplePlan);
  const install = createJobScript<InstallInput, Environment>('install', sampleEnvironment);
  const process = createProcessScript();
  const probe = createProbeScript();
  const promised = <Input, Value>({ runs }: ReturnType<typeof createPromised<Input, Value>>) => ({
    get running() {
      return runs.isRunning();
    },
    inputs: runs.inputs,
    break: () => runs.handle().reject(new Error('a bug')),
  });
  const script: PluginScript = {
    survey: Object.assign(promised(survey), {
      done: (found: Survey = sampleSurvey('launching')) => survey.runs.handle().resolve(found),
    }),
    clone: clone.script,
    detect: detect.script,
    install: install.script,
    process: process.script,
    probe: probe.script,
    health: {
      get running() {
        return health.runs.isRunning();
      },
      inputs: health.runs.inputs,
      well: () => health.runs.handle().resolve({ status: 'well' }),
      silent: (failure = createFailure('RUN_UNRESPONSIVE')) =>
        health.runs.handle().resolve({ status: 'silent', failure }),
      unready: (failure = createFailure('RUN_NOT_READY')) =>
        health.runs.handle().resolve({ status: 'unready', failure }),
    },
    sweep: Object.assign(promised(sweep), { done: () => sweep.runs.handle().resolve() }),
  };
  return { script, survey, sweep, clone, detect, install, process, probe, health };
}

/** Doubles for any number of plugins; each comes into being when it is first named. */
export function createScriptedActors(): ScriptedActors {
  const plugins = new Map<string, ReturnType<typeof createPluginScript>>();
  const of = (plugin: string) => {
    const known = plugins.get(plugin) ?? createPluginScript();
    plugins.set(plugin, known);
    return known;
  };
  return {
    plugin: {
      survey: fromPromise<Survey, SurveyInput>(({ input, signal }) => of(input.plugin).survey.run(input, signal)),
      clone: fromCallback<JobCommand, CloneInput>(({ input, sendBack, receive }) =>
        of(input.plugin).clone.run(input, sendBack, receive),
      ),
      detect: fromCallback<JobCommand, DetectInput>(({ input, sendBack, receive }) =>
        of(input.plugin).detect.run(input, sendBack, receive),
      ),
      install: fromCallback<JobCommand, InstallInput>(({ input, sendBack, receive }) =>
        of(input.plugin).install.run(input, sendBack, receive),
      ),
      process: fromCallback<ProcessCommand, ProcessInput>(({ input, sendBack, receive }) =>
        of(input.plugin).process.run(input, sendBack, receive),
      ),
      probe: fromCallback<{ readonly type: 'probe.none' }, ProbeInput>(({ input, sendBack }) =>
        of(input.plugin).probe.run(input, sendBack),
      ),
      health: fromPromise<Health, HealthInput>(({ input, signal }) => of(input.plugin).health.run(input, signal)),
    },
    sweep: fromPromise<void, SweepInput>(({ input, signal }) => of(input.plugin).sweep.run(input, signal)),
    of: (plugin) => of(plugin).script,
  };
}
