/** What a supervisor remembers for people: the last state changes and the last lines of each plugin. */

import type { OutputLine } from '../actors/context.ts';
import type { HistoryEntry, LogLine } from './options.ts';

const HISTORY = 200;
/** Same bound as the stderr ring (DESIGN "Numbers"). */
const LOG_LINES = 1000;

export interface Observed {
  history: HistoryEntry[];
  log: LogLine[];
}

export interface Observer {
  changed(plugin: string, entry: HistoryEntry): void;
  printed(line: OutputLine): LogLine;
  of(plugin: string): Observed;
  forget(plugin: string): void;
}

export function createObserver(now: () => number): Observer {
  const plugins = new Map<string, Observed>();
  const of = (plugin: string) => {
    let observed = plugins.get(plugin);
    if (observed === undefined) {
      observed = { history: [], log: [] };
      plugins.set(plugin, observed);
    }
    return observed;
  };
  /** Cut in blocks, so that appending stays cheap. */
  const append = <T>(list: T[], item: T, limit: number) => {
    list.push(item);
    if (list.length > limit * 1.25) list.splice(0, list.length - limit);
  };
  return {
    of,
    forget: (plugin) => plugins.delete(plugin),
    changed: (plugin, entry) => append(of(plugin).history, entry, HISTORY),
    printed({ plugin, stream, text }) {
      const line = { at: new Date(now()).toISOString(), stream, text };
      append(of(plugin).log, line, LOG_LINES);
      return line;
    },
  };
}
