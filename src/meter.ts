/** Counters for the metrics face: plain numbers, counted where things happen, read rarely. */

import { pluginOf } from '../actors/instance-name.ts';
import type { FailureCode } from '../machines/failure.ts';
import type { PluginState } from '../machines/states.ts';
import type { PluginMetrics } from './options.ts';

/**
 * Upper bounds of the latency histogram in milliseconds: Prometheus' defaults, reaching down to the fraction of a
 * millisecond that a stdio server needs and up to the default call timeout.
 */
export const LATENCY_BUCKETS: readonly number[] = [
  0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000, 30_000, 60_000,
];

export interface Meter {
  /** A request was answered, so many milliseconds after it was sent. */
  answered(plugin: string, milliseconds: number, result: unknown): void;
  /** The call ended with an error of that code. */
  failed(plugin: string, code: FailureCode): void;
  /** The machines refused the call before it was sent. */
  rejected(plugin: string): void;
  /** An instance entered a state; `begins`: a start with it, `retried` that nobody asked for; `relaunches` of this start so far. */
  entered(
    instance: string,
    state: PluginState,
    start: { readonly begins: boolean; readonly retried: boolean; readonly relaunches: number },
  ): void;
  /** A line of stdout that is no message. */
  noise(plugin: string): void;
  /** Answers that nobody waited for, of a session that has ended. */
  lateReplies(plugin: string, count: number): void;
  read(plugin: string): Counted;
  forgetInstance(instance: string): void;
  forget(plugin: string): void;
}

/** What the meter itself knows; the rest comes from the snapshot. */
export type Counted = Omit<PluginMetrics, 'plugin' | 'state' | 'since' | 'inFlight' | 'held' | 'logBytes'>;

interface Counters {
  ok: number;
  toolErrors: number;
  readonly failed: Map<FailureCode, number>;
  rejected: number;
  /** One more than there are bounds: the last one is for everything above. */
  readonly buckets: Float64Array;
  latencySum: number;
  starts: number;
  restarts: number;
  relaunches: number;
  spawns: number;
  crashes: number;
  noiseLines: number;
  lateReplies: number;
  /** Relaunches of the present start that are counted already, by instance. */
  readonly seenRelaunches: Map<string, number>;
}

export function createMeter(): Meter {
  const plugins = new Map<string, Counters>();

  function of(plugin: string): Counters {
    let counters = plugins.get(plugin);
    if (counters === undefined) {
      counters = {
        ok: 0,
        toolErrors: 0,
        failed: new Map(),
        rejected: 0,
        buckets: new Float64Array(LATENCY_BUCKETS.length + 1),
        latencySum: 0,
        starts: 0,
        restarts: 0,
        relaunches: 0,
        spawns: 0,
        crashes: 0,
        noiseLines: 0,
        lateReplies: 0,
        seenRelaunches: new Map(),
      };
      plugins.set(plugin, counters);
    }
    return counters;
  }

  return {
    answered(plugin, milliseconds, result) {
      const counters = of(plugin);
      if ((result as { readonly isError?: unknown } | null | undefined)?.isError === true) counters.toolErrors += 1;
      else counters.ok += 1;
      counters.latencySum += milliseconds;
      let bucket = 0;
      while (bucket < LATENCY_BUCKETS.length && milliseconds > LATENCY_BUCKETS[bucket]!) bucket += 1;
      counters.buckets[bucket]! += 1;
    },
    // Calls that a removal took down are told of behind it: nobody's by then, or its successor's.
    failed(plugin, code) {
      const failed = plugins.get(plugin)?.failed;
      failed?.set(code, (failed.get(code) ?? 0) + 1);
    },
    rejected(plugin) {
      const counters = plugins.get(plugin);
      if (counters !== undefined) counters.rejected += 1;
    },
    entered(instance, state, { begins, retried, relaunches }) {
      const counters = of(pluginOf(instance));
      counters.relaunches += Math.max(0, relaunches - (counters.seenRelaunches.get(instance) ?? 0));
      counters.seenRelaunches.set(instance, relaunches);
      if (begins && relaunches === 0) {
        counters.starts += 1;
        if (retried) counters.restarts += 1;
      }
      if (state === 'probing') counters.spawns += 1;
      if (state === 'crashed') counters.crashes += 1;
    },
    noise(plugin) {
      of(plugin).noiseLines += 1;
    },
    lateReplies(plugin, count) {
      of(plugin).lateReplies += count;
    },
    read(plugin) {
      const { ok, toolErrors, failed, buckets, latencySum, seenRelaunches: _, ...counted } = of(plugin);
      return {
        ...counted,
        calls: { ok, toolErrors, failed: Object.fromEntries(failed) },
        latency: { buckets: cumulative(buckets), sum: latencySum, count: ok + toolErrors },
      };
    },
    forgetInstance: (instance) => void plugins.get(pluginOf(instance))?.seenRelaunches.delete(instance),
    forget: (plugin) => void plugins.delete(plugin),
  };
}

/** As Prometheus counts: each bucket holds what is at or below its bound; the last bound is Infinity. */
function cumulative(buckets: Float64Array): PluginMetrics['latency']['buckets'] {
  let count = 0;
  return Array.from(buckets, (inBucket, index) => {
    count += inBucket;
    return { le: LATENCY_BUCKETS[index] ?? Number.POSITIVE_INFINITY, count };
  });
}
