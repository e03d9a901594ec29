/**
 * The numbers and the restart rule: when a crashed plugin is tried again, and when it is parked. Pure functions over
 * plain JSON; time and randomness come in as arguments. Which start differs from the last one: `attempts.ts`.
 */

import type { RestartType } from '../launchers/plan.ts';
import { type Failure, isPermanent } from './failure.ts';

/** Milliseconds, all of them. `PluginSpec.timeouts` and `PluginSpec.idleStop` override per plugin. */
export interface Timing {
  /** A clone may last that long; it is cancelled then. */
  readonly clone: number;
  readonly detect: number;
  /** Install and build together. */
  readonly install: number;
  /** From spawn to ready. */
  readonly start: number;
  /** Stopping waits that long for calls in flight. */
  readonly drain: number;
  /** From closing stdin to SIGTERM. */
  readonly inputClose: number;
  /** From SIGTERM to SIGKILL. */
  readonly terminate: number;
  /** From SIGKILL to the sweep by cookie. */
  readonly kill: number;
  /** From the sweep to giving up (`STOP_ABANDONED`). */
  readonly sweep: number;
  /** Quiet time after which a plugin is stopped; null never. */
  readonly idleStop: number | null;
  /** Time between two health checks of a plugin in service; null never checks. */
  readonly liveness: number | null;
  /** A health check may last that long. */
  readonly healthCheck: number;
  /** From a bad health check to the next one. */
  readonly recheck: number;
  /** A starting plugin makes others wait at most that long. */
  readonly launchSlot: number;
  /** `close()` kills what has not stopped by then. */
  readonly close: number;
}

/** Anchors: MCP SDKs close stdin, wait 2 s, then signal; systemd and s6 follow TERM with CONT; go-plugin starts in 60 s. */
export const defaultTiming: Timing = {
  clone: 5 * 60_000,
  detect: 30_000,
  install: 20 * 60_000,
  start: 60_000,
  drain: 2_000,
  inputClose: 2_000,
  terminate: 3_000,
  kill: 2_000,
  sweep: 2_000,
  idleStop: 5 * 60_000,
  // Kubernetes asks every 10 s within 1 s; a stdio server that does nothing need not be woken as often.
  liveness: 30_000,
  healthCheck: 5_000,
  recheck: 1_000,
  launchSlot: 5_000,
  close: 10_000,
};

/** Counts that bound one plugin. */
export interface Bounds {
  /** Calls that may wait for a start; the next one is `CALL_QUEUE_FULL`. */
  readonly heldCalls: number;
  /** Starts with another attempt (candidate, port, era, dependencies) before a start counts as failed. */
  readonly relaunches: number;
  /** Health checks in a row that may stay unanswered; with this one it is restarted (Kubernetes: 3). */
  readonly healthFailures: number;
}

export const defaultBounds: Bounds = { heldCalls: 100, relaunches: 8, healthFailures: 3 };

/** A timer of Node holds at most 2^31-1 ms (24.8 days); above that it would fire at once. */
export const timerDelay = (ms: number): number => Math.min(Math.max(ms, 0), 2 ** 31 - 1);

/** Times in milliseconds. */
export interface RestartPolicy {
  /** Delay of the first restart; each further one is `factor` times the last, up to `maxDelay`. */
  readonly minDelay: number;
  readonly factor: number;
  readonly maxDelay: number;
  /** A share of the delay added or taken away at random, so that plugins felled by one cause don't come back together. */
  readonly jitter: number;
  /** Ready for so long before the crash: the restart is immediate. */
  readonly immediateAfter: number;
  /** Ready for so long before the crash: every counter starts again. */
  readonly resetAfter: number;
  /** Starts in a row that never became ready; then it is parked. */
  readonly maxFailedStarts: number;
  /** Crashes within `crashWindow`; then it is parked. */
  readonly maxCrashes: number;
  readonly crashWindow: number;
  /** A parked plugin gets a trial start after this, then twice as long each time, up to `maxTrial`. */
  readonly firstTrial: number;
  readonly maxTrial: number;
  /** Spawns of all plugins together within `spawnWindow`; more wait. At least 1. A net below the backoff of each. */
  readonly maxSpawns: number;
  readonly spawnWindow: number;
}

/** Anchors: Docker 100 ms to 60 s, Nomad 25 % jitter, Kubernetes' reset after a healthy while, systemd's 5 starts. */
export const defaultRestartPolicy: RestartPolicy = {
  minDelay: 250,
  factor: 2,
  maxDelay: 30_000,
  jitter: 0.25,
  immediateAfter: 10_000,
  resetAfter: 60_000,
  maxFailedStarts: 5,
  maxCrashes: 10,
  crashWindow: 10 * 60_000,
  firstTrial: 60_000,
  maxTrial: 15 * 60_000,
  // Two cores launch some 20 a second; a storm that gets past every backoff (8 300 spawns in one report) stays below this.
  maxSpawns: 200,
  spawnWindow: 10_000,
};

/** What the supervisor remembers of one plugin's crashes. */
export interface RestartHistory {
  /** Starts in a row that never became ready. */
  readonly failedStarts: number;
  /** Delayed restarts in a row: the exponent of the next delay. */
  readonly streak: number;
  /** Times of the crashes within the window. */
  readonly crashes: readonly number[];
  /** Times it was parked: the exponent of the next trial. */
  readonly trials: number;
  /** When the running start became ready. */
  readonly readyAt: number | null;
  /** How long the last start was ready; null when it never was. */
  readonly readyFor: number | null;
}

export const noHistory: RestartHistory = {
  failedStarts: 0,
  streak: 0,
  crashes: [],
  trials: 0,
  readyAt: null,
  readyFor: null,
};

export const noteLaunch = (history: RestartHistory): RestartHistory => ({ ...history, readyAt: null, readyFor: null });

/** Coming back from idle is no new readiness. */
export const noteReady = (history: RestartHistory, now: number): RestartHistory =>
  history.readyAt === null ? { ...history, failedStarts: 0, readyAt: now } : history;

/** Counted up to the moment it left service, not to the end of its stopping. */
export const noteDown = (history: RestartHistory, now: number): RestartHistory =>
  history.readyAt === null ? history : { ...history, readyAt: null, readyFor: now - history.readyAt };

export type RestartDecision =
  | { readonly kind: 'retry'; readonly delay: number }
  /** `trial` is the delay until one more start may be tried; null: only START or RESET help. */
  | { readonly kind: 'park'; readonly trial: number | null };

export interface Crash {
  readonly failure: Failure;
  readonly restart: RestartType;
  readonly now: number;
  /** In [0, 1). */
  readonly random: number;
}

/** The answer to one crash, and the history with it. */
export function decideRestart(
  before: RestartHistory,
  policy: RestartPolicy,
  { failure, restart, now, random }: Crash,
): { readonly history: RestartHistory; readonly decision: RestartDecision } {
  const readyFor = before.readyFor ?? 0;
  const kept = readyFor >= policy.resetAfter ? noHistory : before;
  const history: RestartHistory = {
    ...kept,
    failedStarts: before.readyFor === null ? kept.failedStarts + 1 : 0,
    crashes: [...kept.crashes.filter((time) => time > now - policy.crashWindow), now],
    readyAt: null,
    readyFor: null,
  };
  if (isPermanent(failure) || restart === 'temporary') return { history, decision: { kind: 'park', trial: null } };
  if (history.failedStarts >= policy.maxFailedStarts || history.crashes.length >= policy.maxCrashes) {
    const trial = Math.min(policy.firstTrial * 2 ** history.trials, policy.maxTrial);
    return { history: { ...history, trials: history.trials + 1 }, decision: { kind: 'park', trial } };
  }
  if (readyFor >= policy.immediateAfter) return { history, decision: { kind: 'retry', delay: 0 } };
  const backoff = Math.min(policy.minDelay * policy.factor ** history.streak, policy.maxDelay);
  const delay = Math.round(backoff * (1 + policy.jitter * (2 * random - 1)));
  return { history: { ...history, streak: history.streak + 1 }, decision: { kind: 'retry', delay } };
}
