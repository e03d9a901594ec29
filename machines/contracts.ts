/**
 * Types of every invoked actor: what a machine hands it and what comes back. The machines import nothing else of the
 * actors; `src/compose` provides the real ones, `src/testing` scripted ones.
 */

import type { CallbackActorLogic, PromiseActorLogic } from 'xstate';
import type { Cause, CauseKind, LaunchPlan, PluginSpec, Transport } from '../launchers/plan.ts';
import type { Exit, Failure } from './failure.ts';
import type { Stage } from './states.ts';

/** How one start differs from the plan's first choice; `machines/policy` picks the next one, survey the remembered one. */
export interface Attempt {
  /** Index into the resolved plan's `start`. */
  readonly candidate: number;
  /** Whether a leased port is handed over by environment and argument. */
  readonly port: 'none' | 'lease';
  readonly transport: Transport | 'auto';
  /** Endpoint found by an earlier probe; null probes. */
  readonly endpoint: string | null;
  readonly era: 'auto' | 'legacy' | 'modern';
  /** `as-of-commit`: dependencies resolved as of the commit's date, because today's broke the start. */
  readonly dependencies: 'declared' | 'as-of-commit';
  /** `newer`: the plan's newer tools, because the program said that its runtime is too old. */
  readonly runtime: 'declared' | 'newer';
}

/** A pristine copy of the source at one commit, shared by every plugin that uses it. */
export interface Checkout {
  /** Absolute path; read only to everyone after the clone. */
  readonly dir: string;
  /** Commit id, or for a folder the fingerprint of what was copied. */
  readonly commit: string;
  /** ISO date of the commit; null for a folder. */
  readonly committedAt: string | null;
}

/** Where a plugin runs: its own copy of the checkout, installed and built. */
export interface Environment {
  /** Hash of commit, subdir, steps, runtime and platform. */
  readonly key: string;
  /** Absolute path of the tree in which the plugin's commands run. */
  readonly dir: string;
  /** The plan after `resolve`: its `start` is final and not empty. */
  readonly plan: LaunchPlan;
  /** Programs that the plan's bare names resolved to (`node` → `/usr/bin/node`). */
  readonly programs: Readonly<Record<string, string>>;
  /** Folders that go first on the plugin's PATH. */
  readonly path: readonly string[];
  /** Rung that installed it; null when nothing had to be. */
  readonly rung: string | null;
  /** What was tried before it and why that was left, oldest first. */
  readonly fallbacks: readonly Fallback[];
}

/** A way to install, build or start that failed, and led to another one. */
export interface Fallback {
  /** Id of the rung; `build` or `start` for what came after the install. */
  readonly tried: string;
  readonly cause: CauseKind;
  /** What its output said, one sentence. */
  readonly detail: string;
}

/** What is known before a start: survey answers from disk within 5 ms, without the network. */
export interface Survey {
  /** First stage that must run; `launching` when nothing is stale. */
  readonly stale: Stage;
  /** Known when `stale` is after cloning. */
  readonly checkout: Checkout | null;
  /** Known when `stale` is after detecting. */
  readonly plan: LaunchPlan | null;
  /** Known when `stale` is launching. */
  readonly environment: Environment | null;
  readonly attempt: Attempt;
  /** Set when the plugin must not start at all (abandoned processes still live, the home is unusable). */
  readonly blocked: Failure | null;
}

export type JobResult<T> =
  | { readonly status: 'done'; readonly value: T }
  | { readonly status: 'failed'; readonly failure: Failure }
  | { readonly status: 'cancelled' };

/**
 * The one fact a job sends, exactly once, when its process group is empty and its temp folders are gone; nothing may
 * leave a job's state before it.
 */
export type JobEnded =
  | { readonly type: 'job.ended'; readonly job: 'clone'; readonly result: JobResult<Checkout> }
  | { readonly type: 'job.ended'; readonly job: 'detect'; readonly result: JobResult<LaunchPlan> }
  | { readonly type: 'job.ended'; readonly job: 'install'; readonly result: JobResult<Environment> };

/** The one command a job takes; it answers with `job.ended` once its group is empty. Idempotent. */
export type JobCommand = { readonly type: 'job.cancel' };

export interface SurveyInput {
  readonly plugin: string;
  readonly spec: PluginSpec;
  /** Processes that an earlier stop had to abandon. */
  readonly abandoned: readonly number[];
}
export interface CloneInput {
  readonly plugin: string;
  readonly spec: PluginSpec;
}
export interface DetectInput extends CloneInput {
  readonly checkout: Checkout;
}
export interface InstallInput extends DetectInput {
  readonly plan: LaunchPlan;
  readonly dependencies: Attempt['dependencies'];
  readonly runtime: Attempt['runtime'];
  /** The start that failed and made this install necessary; null for a first one. */
  readonly because: Fallback | null;
}
export interface ProcessInput {
  readonly plugin: string;
  readonly generation: number;
  readonly spec: PluginSpec;
  readonly environment: Environment;
  readonly attempt: Attempt;
}
export type ProbeInput = ProcessInput;

/**
 * What the machine tells the process actor. Any of them may come before the program runs (a STOP overtakes the spawn) or
 * without a `spawn` at all (a STOP in the queue): then `sweep` still answers `group.empty`, and a signal is obeyed as
 * soon as there is something to signal.
 */
export type ProcessCommand =
  | { readonly type: 'spawn' }
  /** Close stdin: the only portable way to ask a stdio server to end (MCP spec, stdio shutdown). */
  | { readonly type: 'input.close' }
  /** Signal the group and every process with the plugin's cookie; TERM is followed by CONT. */
  | { readonly type: 'signal'; readonly signal: 'SIGTERM' | 'SIGKILL' }
  /** Kill whatever still carries the cookie; answers `group.empty` when nothing is left. */
  | { readonly type: 'sweep' }
  /** Give up: answer `group.abandoned` with the pids that are left. */
  | { readonly type: 'abandon' };

/**
 * What the process actor tells the machine, in this order: `process.spawned`, `process.exited` (the leader; or
 * `process.failed` instead of both), and `group.empty` as soon as nothing is left, asked for or not: only that is the end.
 */
export type ProcessEvent =
  /** A server that runs elsewhere has no pid, and no leader that could exit: `group.empty` alone is its end. */
  | { readonly type: 'process.spawned'; readonly generation: number; readonly pid: number | null }
  | {
      readonly type: 'process.exited';
      readonly generation: number;
      readonly exit: Exit;
      readonly stderrTail: readonly string[];
      /** The launcher's explanation of its output; null when it has none. */
      readonly cause: Cause | null;
    }
  /** It took more of the machine than its limits allow (memory, processes); it still runs, and the machine ends it. */
  | { readonly type: 'process.breached'; readonly generation: number; readonly failure: Failure }
  /** It could not be spawned; `group.empty` follows. */
  | { readonly type: 'process.failed'; readonly generation: number; readonly failure: Failure }
  | { readonly type: 'group.empty'; readonly generation: number }
  | { readonly type: 'group.abandoned'; readonly generation: number; readonly pids: readonly number[] };

/**
 * What the probe actor tells the machine: `probe.ready` or `probe.failed`, once, and `probe.listening` at most once before
 * it. Nothing when the program exits, because `process.exited` says more.
 */
export type ProbeEvent =
  /** A process of the plugin has opened a socket: a deadline without it is PROBE_NO_PORT where the transport is HTTP. */
  | { readonly type: 'probe.listening'; readonly generation: number; readonly port: number | null }
  | {
      readonly type: 'probe.ready';
      readonly generation: number;
      readonly transport: Transport;
      readonly era: 'legacy' | 'modern' | null;
      readonly protocolVersion: string | null;
      readonly port: number | null;
      readonly tools: number;
    }
  /** `retry` asks for another start with these differences (era, port); the machine decides. */
  | {
      readonly type: 'probe.failed';
      readonly generation: number;
      readonly failure: Failure;
      readonly retry: Partial<Attempt> | null;
    };

export interface HealthInput {
  readonly plugin: string;
  readonly generation: number;
  /** Checks in a row that were not answered. */
  readonly failures: number;
}

/** What a health check found: it answers; it answers that it is not ready (HTTP only); or it could not be asked. */
export type Health = { readonly status: 'well' } | { readonly status: 'unready' | 'silent'; readonly failure: Failure };

export interface SweepInput {
  readonly plugin: string;
}

export type SurveyActor = PromiseActorLogic<Survey, SurveyInput>;
export type CloneActor = CallbackActorLogic<JobCommand, CloneInput>;
export type DetectActor = CallbackActorLogic<JobCommand, DetectInput>;
export type InstallActor = CallbackActorLogic<JobCommand, InstallInput>;
export type ProcessActor = CallbackActorLogic<ProcessCommand, ProcessInput>;
export type ProbeActor = CallbackActorLogic<{ readonly type: 'probe.none' }, ProbeInput>;
/**
 * Asks a plugin in service whether it still answers: `ping` (legacy era), `server/discover` (modern), its health path or
 * `/` (plain HTTP). Any answer will do, an error too. It has no time limit of its own: leaving the state ends it.
 */
export type HealthActor = PromiseActorLogic<Health, HealthInput>;
/** Ends every process of a plugin whose actor broke (a bug of ours); resolves when none is left. */
export type SweepActor = PromiseActorLogic<void, SweepInput>;

/** The actors that `src/compose` provides to the plugin machine. */
export interface PluginActors {
  readonly survey: SurveyActor;
  readonly clone: CloneActor;
  readonly detect: DetectActor;
  readonly install: InstallActor;
  readonly process: ProcessActor;
  readonly probe: ProbeActor;
  readonly health: HealthActor;
}
