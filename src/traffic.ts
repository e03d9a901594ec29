/** How busy each plugin is. The machines hear only the edges: busy, quiet, drained; never one event per call. */

import type { TrafficEvent } from '../machines/events.ts';

export interface TrafficParts {
  readonly tell: (plugin: string, event: TrafficEvent) => void;
  readonly isStopping: (plugin: string) => boolean;
  /** Milliseconds of silence after which `calls.quiet` is said. */
  readonly quiet: number;
}

/** A `call` is waited for when the plugin is stopped; a `hold` (an open link) only keeps it from idling. */
export type Use = 'calls' | 'holds';

export interface Traffic {
  /** The plugin is ready: it counts as busy until it was silent. */
  watch(plugin: string, generation: number): void;
  /** A use of that generation begins; call what it returns when it ends. */
  begin(plugin: string, generation: number, use: Use): () => void;
  inFlight(plugin: string): number;
  isHeld(plugin: string): boolean;
  /** When its last use ended, by `performance.now`; 0: it is not known of. */
  lastUse(plugin: string): number;
  forget(plugin: string): void;
}

interface Counters {
  readonly generation: number;
  calls: number;
  holds: number;
  /** What the machine was told last. */
  busy: boolean;
  lastEnd: number;
  timer: NodeJS.Timeout | null;
}

export function createTraffic({ tell, isStopping, quiet }: TrafficParts): Traffic {
  const plugins = new Map<string, Counters>();

  function count(plugin: string, generation: number, busy: boolean): Counters {
    forget(plugin);
    const counters: Counters = { generation, calls: 0, holds: 0, busy, lastEnd: performance.now(), timer: null };
    plugins.set(plugin, counters);
    if (busy) lookAfter(plugin, counters, quiet);
    return counters;
  }

  function forget(plugin: string): void {
    const counters = plugins.get(plugin);
    if (counters?.timer) clearTimeout(counters.timer);
    plugins.delete(plugin);
  }

  /** One timer per busy plugin, looked at once per `quiet`, rather than one set and cleared per call. */
  function lookAfter(plugin: string, counters: Counters, delay: number): void {
    counters.timer = setTimeout(() => {
      const silence = performance.now() - counters.lastEnd;
      const used = counters.calls > 0 || counters.holds > 0;
      if (used || silence < quiet) return lookAfter(plugin, counters, used ? quiet : Math.max(quiet - silence, 1));
      counters.busy = false;
      counters.timer = null;
      tell(plugin, { type: 'calls.quiet', generation: counters.generation });
    }, delay).unref();
  }

  return {
    watch: (plugin, generation) => void count(plugin, generation, true),
    begin(plugin, generation, use) {
      const known = plugins.get(plugin);
      const counters = known?.generation === generation ? known : count(plugin, generation, false);
      counters[use]++;
      if (!counters.busy) {
        counters.busy = true;
        tell(plugin, { type: 'calls.busy', generation });
        lookAfter(plugin, counters, quiet);
      }
      return () => {
        if (--counters[use] > 0) return;
        counters.lastEnd = performance.now();
        if (use === 'calls' && plugins.get(plugin) === counters && isStopping(plugin)) {
          tell(plugin, { type: 'calls.drained', generation });
        }
      };
    },
    inFlight: (plugin) => plugins.get(plugin)?.calls ?? 0,
    isHeld: (plugin) => (plugins.get(plugin)?.holds ?? 0) > 0,
    lastUse: (plugin) => plugins.get(plugin)?.lastEnd ?? 0,
    forget,
  };
}
